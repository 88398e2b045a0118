"""Look after mail: list the letters in the outbox, retry them, and send a test letter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_operator
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.events import EventKind
from vestibule.model.letters import Letter, LetterKind
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.model.outbox import LetterPosition, LetterState, OutboxCounts
from vestibule.model.permissions import Permission
from vestibule.model.store import Ports
from vestibule.protocol.utf8 import is_utf8

LETTERS_AT_ONCE = 50
"""How many letters one page has at most."""


@dataclass(frozen=True)
class OutboxPage:
    """Some letters of the outbox, the oldest first, each with the email it goes to, if that is known; and where the
    next ones begin, None if these were the last.
    """

    letters: list[LetterState]
    next: LetterPosition | None


@dataclass(frozen=True)
class Outbox:
    """The outbox: how many letters it has, and the oldest of them, each with the email it goes to, if that is known."""

    counts: OutboxCounts
    letters: list[LetterState]


async def count_letters(env: Env) -> OutboxCounts:
    """Return how many letters wait, since when, and how many were refused; raises `StoreUnavailable`."""
    async with env.watching.reading() as read:
        return await read.letters.counts()


async def read_outbox(env: Env, most: int) -> Outbox:
    """Return how many letters the outbox has, and up to `most` of them; raises `StoreUnavailable`."""
    async with env.store.reading() as read:
        counts = await read.letters.counts()
        states = await read.letters.unsettled(most)
        return Outbox(counts, [await _with_email(read, state) for state in states])


async def read_outbox_page(env: Env, start: LetterPosition | None = None, *, refused: bool = False) -> OutboxPage:
    """Return a page of the letters that wait or were refused; with `refused`, of the refused ones alone. The page
    begins after `start`, or, if that is None, with the oldest letter. Raises `StoreUnavailable`.
    """
    async with env.store.reading() as read:
        states = await read.letters.unsettled_page(start, LETTERS_AT_ONCE, refused=refused)
        emails = await read.account_search.emails_of(
            sorted({s.letter.account_id for s in states if s.letter.account_id})
        )
    named = [
        replace(
            state, letter=replace(state.letter, email=state.letter.email or emails.get(state.letter.account_id or ""))
        )
        for state in states
    ]
    return OutboxPage(named, LetterPosition.of(states[-1]) if len(states) == LETTERS_AT_ONCE else None)


async def _with_email(read: Ports, state: LetterState) -> LetterState:
    letter = state.letter
    account = await read.accounts.get(letter.account_id) if letter.account_id else None
    return replace(state, letter=replace(letter, email=letter.email or (account.email if account else None)))


@retry_on_conflict
async def retry_letters(env: Env, letter_ids: Sequence[str] | None, operator: Operator = COMMAND_LINE) -> int:
    """Make those of these letters due again that could not be sent; None means every such letter. Return their number.
    Raises what `require_operator` raises.
    """
    now = env.clock.now()
    if letter_ids is not None:
        letter_ids = [letter_id for letter_id in letter_ids if "\0" not in letter_id and is_utf8(letter_id)]
    async with env.store.transaction() as tx:
        await lock_operator(tx, operator, Permission.LETTERS_RETRY, now)
        count = await tx.letters.retry(now, letter_ids)
        if count:
            await tx.events.record(operator.event(now, EventKind.LETTERS_RETRIED, None, letters=str(count)))
    return count


async def send_test_letter(env: Env, email: str, language: str | None) -> str:
    """Send a test letter now, without the outbox; return the mail server's answer. Raises `NotSent`."""
    chosen = language or env.policy.language
    return await env.mailer.send(Letter(new_id(), LetterKind.TEST, email, "", env.policy.link_base, chosen))
