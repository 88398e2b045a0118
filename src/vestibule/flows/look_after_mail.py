"""Look after mail: list the letters in the outbox, retry them, and send a test letter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.letters import Letter, LetterKind
from vestibule.model.outbox import LetterState, OutboxCounts
from vestibule.model.store import Ports


@dataclass(frozen=True)
class Outbox:
    """The outbox: how many letters it has, and the oldest of them, each with the email it goes to, if that is known."""

    counts: OutboxCounts
    letters: list[LetterState]


async def count_letters(env: Env) -> OutboxCounts:
    """Return how many letters wait, and since when; raises `StoreUnavailable`."""
    async with env.watching.reading() as read:
        return await read.letters.counts()


async def read_outbox(env: Env, most: int) -> Outbox:
    """Return how many letters the outbox has, and up to `most` of them; raises `StoreUnavailable`."""
    async with env.store.reading() as read:
        counts = await read.letters.counts()
        states = await read.letters.unsettled(most)
        return Outbox(counts, [await _with_email(read, state) for state in states])


async def _with_email(read: Ports, state: LetterState) -> LetterState:
    letter = state.letter
    account = await read.accounts.get(letter.account_id) if letter.account_id else None
    return replace(state, letter=replace(letter, email=letter.email or (account.email if account else None)))


@retry_on_conflict
async def retry_letters(env: Env, letter_ids: Sequence[str] | None) -> int:
    """Make letters due again that could not be sent, all of them if `letter_ids` is None; return their number."""
    async with env.store.transaction() as tx:
        return await tx.letters.retry(env.clock.now(), letter_ids)


async def send_test_letter(env: Env, email: str, language: str | None) -> str:
    """Send a test letter now, without the outbox; return the mail server's answer. Raises `NotSent`."""
    chosen = language or env.policy.language
    return await env.mailer.send(Letter(new_id(), LetterKind.TEST, email, "", env.policy.link_base, chosen))
