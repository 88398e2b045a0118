"""Letter counters: every count that can refuse a letter which the owner of an account asks for without a session.

Codes are counted by network too. Of the networks, only those that the account's latest events name can be looked up:
the counters are stored as digests. A network's own limit is not the account's, and is not among these.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vestibule.flows.ask_for_letter import asker_of_code
from vestibule.flows.env import Env
from vestibule.flows.report_lost_factors import LETTERS_OF_LOST_FACTORS
from vestibule.model.accounts import Account, mailbox_of
from vestibule.model.letters import LetterKind
from vestibule.model.limits import Limit, Spacing
from vestibule.model.login_attempts import PLACES
from vestibule.model.pauses import AttemptKind
from vestibule.model.store import Ports

_EVENTS_READ = 100
_SPACED = {
    AttemptKind.RESET_LETTER: LetterKind.RESET_PASSWORD,
    AttemptKind.VERIFICATION_LETTER: LetterKind.VERIFY_EMAIL,
    AttemptKind.CODE_LETTER: LetterKind.SIGN_IN_CODE,
}


@dataclass(frozen=True)
class LetterCounter:
    """One counter of letters: what it limits, and whose count it is."""

    of: AttemptKind
    what: Limit | Spacing
    subject: str


async def letter_counters(env: Env, read: Ports, account: Account) -> Sequence[LetterCounter]:
    """Return the counters, those of known devices too."""
    events = await read.events.of_account(account.id, _EVENTS_READ)
    networks = {event.network_address for event in events if event.network_address}
    return [*_by_place(env, account), *_of_codes(env, account, sorted(networks)), *_of_others(env, account)]


def _by_place(env: Env, account: Account) -> Iterator[LetterCounter]:
    """Yield the counters of all devices that are not known together, and of each place of known devices."""
    spacing = env.policy.letters.to_email
    for of, kind in _SPACED.items():
        subject = f"{kind.value}:{account.email}"
        if of is not AttemptKind.CODE_LETTER:
            yield LetterCounter(of, spacing, subject)
        for place in range(PLACES):
            yield LetterCounter(of, spacing, f"{subject}:{place}")


def _of_codes(env: Env, account: Account, networks: Sequence[str]) -> Iterator[LetterCounter]:
    limits = env.policy.letters
    yield LetterCounter(AttemptKind.CODE_LETTER, limits.codes_a_day, account.email)
    for subject in sorted({asker_of_code(account.email, network) for network in networks}):
        yield LetterCounter(AttemptKind.CODE_LETTER, limits.codes, subject)


def _of_others(env: Env, account: Account) -> Iterator[LetterCounter]:
    yield LetterCounter(AttemptKind.FACTORS_LOST_LETTER, LETTERS_OF_LOST_FACTORS, account.id)
    mailbox = mailbox_of(account.email)
    if mailbox is not None and not account.verified:  # all unverified sub-addresses of a mailbox share a count
        yield LetterCounter(AttemptKind.VERIFICATION_LETTER, env.policy.letters.to_mailbox, mailbox)
