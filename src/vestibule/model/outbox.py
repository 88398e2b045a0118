"""The outbox: the table of letters that wait, in which order they are sent, and how often each is tried.

A row holds no secret: the account is looked up, and the link made, when the letter is sent. So no letter goes to an old
email, no link has expired on arrival, and a stolen outbox gives no access.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from vestibule.model.account_search import NotACursor
from vestibule.model.accounts import Account
from vestibule.model.event_search import EventPosition
from vestibule.model.letters import QueuedLetter
from vestibule.model.people import LetterRecord

LEASE = timedelta(seconds=60)  # how long a claimed letter belongs to one worker
FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(days=4)  # RFC 5321, section 4.5.4.1: at least four to five days
NOTICES_WAIT = timedelta(minutes=15)
"""How long other letters are sent before a notice, because nobody waits for a notice."""

_CURSOR = re.compile(r"(\d{1,18})\.([A-Za-z0-9_-]{1,36})", re.ASCII)


class Delivery(StrEnum):
    """What became of a claimed letter. `NOBODY`: nobody needs it any more, or another worker has claimed it."""

    SENT = "sent"
    PUT_OFF = "put_off"
    REFUSED = "refused"
    NOBODY = "nobody"


@dataclass(frozen=True)
class LetterState:
    """The state of a letter in the outbox, for operators."""

    letter: QueuedLetter
    due_at: datetime
    refused_at: datetime | None
    last_fault: str | None


@dataclass(frozen=True)
class OutboxCounts:
    """How many letters wait, how many were refused for good, and since when the oldest waiting one has waited."""

    waiting: int
    refused: int
    oldest: datetime | None


@dataclass(frozen=True)
class LetterPosition:
    """Where a page of letters ended: when its last letter was queued, and the letter's id. As text it is a cursor."""

    created_at: datetime
    letter_id: str

    @classmethod
    def of(cls, state: LetterState) -> "LetterPosition":
        """Return the position of a letter."""
        return cls(state.letter.created_at, state.letter.id)

    def to_cursor(self) -> str:
        """Return the position as text."""
        at, _, _number = EventPosition(self.created_at, 0).to_cursor().partition(".")  # only its form of the time
        return f"{at}.{self.letter_id}"

    @classmethod
    def of_cursor(cls, cursor: str) -> "LetterPosition":
        """Return the position that `to_cursor` turned into this text; raises `NotACursor`."""
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise NotACursor
        return cls(EventPosition.of_cursor(f"{found[1]}.0").at, found[2])


def retry_after(attempts: int) -> timedelta:
    """Return how long to wait after this many failed attempts: a second, doubled each time, up to five minutes."""
    doublings: int = min(attempts - 1, 16)  # beyond `LAST_RETRY`; bounded, so that nothing overflows
    return min(FIRST_RETRY * (1 << doublings), LAST_RETRY)


class Letters(Protocol):
    """The outbox."""

    async def queue(self, letter: QueuedLetter) -> None:
        """Put a letter in, due at once, and add `asked_of` and `epoch` to it. Runs the same statement whether an
        account has the email or not.
        """

    async def claim(self, now: datetime) -> QueuedLetter | None:
        """Claim the next due letter and return it; None if there is none. A lease keeps other workers from taking it.
        Notices come after other letters, until they have been due for `NOTICES_WAIT`.
        """

    async def lock(self, letter: QueuedLetter) -> bool:
        """Lock the claimed letter until the transaction ends; return False if it is settled, or another worker has
        claimed it.
        """

    async def newer(self, letter: QueuedLetter, account: Account) -> bool:
        """Return whether a later letter of the same kind, sent or not, was queued for this account in its current
        epoch. Letters queued for another account, for none, or in another epoch do not replace this one, even if they
        go to the same mailbox.
        """

    async def settle(self, letter: QueuedLetter, now: datetime, account_id: str | None, *, sent: bool) -> None:
        """Note that the letter was sent, or, unless `sent`, is no longer needed; `account_id` is the account it was
        for.
        """

    async def put_off(self, letter: QueuedLetter, due_at: datetime, fault: str) -> None:
        """Make the letter due again at `due_at`, because of `fault`. Does nothing if another worker has claimed it
        since.
        """

    async def refuse(self, letter: QueuedLetter, now: datetime, fault: str) -> None:
        """Note that the letter was refused for good, because of `fault`: keep it, and do not try again. Does nothing if
        another worker has claimed it since.
        """

    async def delete_of(self, account_id: str) -> None:
        """Delete every letter of this account, also those queued by its email. Letters of another account stay, even if
        they go to the same mailbox.
        """

    async def purge_settled(self, account_id: str, most: int) -> int:
        """Delete up to `most` letters of an account that are settled; return their number."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` letters queued before `before` that are settled or refused; return their number."""

    async def withdraw(self, account_id: str, now: datetime, *, undo_since: datetime | None = None) -> None:
        """Settle unsent letters that would carry a token for the account, also refused ones and those queued by email.
        Letters with a link `FOR_EVERY_EPOCH` are still sent, except those that undo a change of email at `undo_since`
        or later.
        """

    async def unsettled(self, most: int) -> list[LetterState]:
        """Return up to `most` letters that wait or were refused, the oldest first."""

    async def unsettled_page(self, after: LetterPosition | None, most: int, *, refused: bool) -> list[LetterState]:
        """Return up to `most` letters that wait or were refused, or of the refused ones alone: the oldest first, from
        after a position. Reads them by an index.
        """

    async def latest_of(self, account_id: str, most: int) -> list[LetterRecord]:
        """Return up to `most` letters of an account, the newest first, also those queued by its email that wait or were
        refused.
        """

    async def retry(self, now: datetime, letter_ids: Sequence[str] | None = None) -> int:
        """Make letters due again that could not be sent or were refused: these, or all if None; return their number.
        Skips a letter that is being sent at this moment.
        """

    async def counts(self) -> OutboxCounts:
        """Return how many letters wait or were refused, and since when the oldest one waits."""
