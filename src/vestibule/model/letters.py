"""Letters: what Vestibule mails, from the row in the outbox to the message that is sent.

A row in the outbox holds no secret. The email, the account and the link are looked up or made when the letter is
sent, so that no letter goes to yesterday's email, none carries a dead link, and the outbox is worth nothing to a
thief.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol

from vestibule.model.accounts import Account
from vestibule.model.one_time_tokens import UNDO_MAILED_WITHIN, Purpose

LEASE = timedelta(seconds=60)
FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(days=4)  # RFC 5321, section 4.5.4.1: at least four to five days


WORKS_FOR = "works_for"
"""In the detail of a letter: for how many seconds its link has to work, because no other may be asked for before."""


class LetterKind(StrEnum):
    """What a letter says."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"
    CONFIRM_NEW_EMAIL = "confirm_new_email"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"
    NEW_DEVICE = "new_device"
    TOKEN_REUSED = "token_reused"
    EMAIL_TAKEN = "email_taken"
    TEST = "test"


NOTICES = frozenset({LetterKind.PASSWORD_CHANGED, LetterKind.NEW_DEVICE, LetterKind.TOKEN_REUSED})
"""Letters that nobody asked for, which tell the owner of an account what happened to it, and from where. Each belongs
to the email that the account had, and had verified, when it happened: an attacker who moves the account afterwards
would read it in the owner's place.
"""

NOTICES_WAIT = timedelta(minutes=15)
"""How long notices wait, at most, for letters that somebody waits for."""

REGISTERED_AGAIN = "registered_again"
"""The `why` in the detail of a letter that leads to a password because nobody knows who typed the one before."""

TOKEN_IN = {
    LetterKind.VERIFY_EMAIL: Purpose.VERIFY_EMAIL,
    LetterKind.RESET_PASSWORD: Purpose.RESET_PASSWORD,
    LetterKind.CONFIRM_NEW_EMAIL: Purpose.CHANGE_EMAIL,
    LetterKind.EMAIL_CHANGED: Purpose.UNDO_EMAIL_CHANGE,
}
"""The one-time token in a letter's link. Letters that are not here lead to where a new password is asked for."""


@dataclass(frozen=True)
class QueuedLetter:
    """A letter in the outbox. It goes to `email` or else to the account's email; without `account_id`, it is for the
    account that has `email` when it is sent, if there is one.

    `language` is what the request asked for; `detail` what the letter tells; `attempts` counts the claims. The outbox
    adds of whom it was asked: the account's id and its epoch at that moment, or None where there was nobody. A change
    of email begins another epoch, so that the email need not lie in the outbox. To a notice it adds the `email`, if
    that was verified.
    """

    id: str
    kind: LetterKind
    created_at: datetime
    account_id: str | None = None
    email: str | None = None
    language: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    asked_of: str | None = None
    epoch: int | None = None

    def still_wanted(self, account: Account, now: datetime) -> bool:
        """Return whether the account is still what it was when its letter was asked for.

        What was asked before a change of password, of email, or before it was disabled, never happens afterwards.
        Notices are wanted whatever happened, at an email that was verified then, or has been verified since.
        """
        same = (self.asked_of, self.epoch) == (account.id, account.epoch)
        if self.kind in NOTICES:
            return self.email is not None or (same and account.verified)
        if self.kind is LetterKind.EMAIL_TAKEN:
            return self.asked_of == account.id
        if self.kind not in TOKEN_IN:
            return True
        if self.kind is LetterKind.EMAIL_CHANGED:
            return account.email != self.email and now < self.created_at + UNDO_MAILED_WITHIN
        return same


class Delivery(StrEnum):
    """What became of a letter that was taken from the outbox. `NOBODY`: there was nobody to send it to any more."""

    SENT = "sent"
    PUT_OFF = "put_off"
    REFUSED = "refused"
    NOBODY = "nobody"


@dataclass(frozen=True)
class LetterState:
    """How a letter in the outbox is getting on, for operators."""

    letter: QueuedLetter
    due_at: datetime
    refused_at: datetime | None
    last_fault: str | None


@dataclass(frozen=True)
class Backlog:
    """How many letters wait and how many were refused for good; since when the oldest of the waiting does."""

    waiting: int
    refused: int
    oldest: datetime | None


@dataclass(frozen=True)
class Letter:
    """A letter ready to be rendered and sent. `id` stays the same through every attempt at sending it; `lasts` is how
    long its link works, if it has one that is over some day; `account_id` whose account it is about, if anybody's.
    """

    id: str
    kind: LetterKind
    to: str
    name: str
    link: str
    language: str = "en"
    detail: Mapping[str, str] = field(default_factory=dict)
    lasts: timedelta | None = None
    account_id: str | None = None


class Mailer(Protocol):
    """What carries letters away."""

    async def send(self, letter: Letter) -> str:
        """Hand `letter` over; return the answer of the server that took it. Raises `NotSent` if none did, and
        `RefusedForGood` if none will.
        """


class Writer(Protocol):
    """What turns a letter into the message that is sent."""

    def write(self, letter: Letter) -> EmailMessage:
        """Return the message, as it would be sent now."""


class NotSent(Exception):
    """The letter could not be handed over. It stays in the outbox and is tried again."""


class RefusedForGood(NotSent):
    """The letter's email is not one that takes letters (RFC 5321, section 4.2.1: a reply of 5yz). Not tried again."""


def retry_after(attempts: int) -> timedelta:
    """Return how long to wait after the attempt of this number failed: doubling, from a second to five minutes."""
    doublings: int = min(attempts - 1, 16)
    return min(FIRST_RETRY * (1 << doublings), LAST_RETRY)


class Letters(Protocol):
    """The outbox."""

    async def queue(self, letter: QueuedLetter) -> None:
        """Put a letter in, due at once, with the account it was asked of and that account's epoch. Runs the same
        statement if nobody has the email.
        """

    async def claim(self, now: datetime) -> QueuedLetter | None:
        """Return the next due letter, under a lease so that no second worker takes it meanwhile; None if there is none.
        It is the oldest that is not a notice, unless another has been due for `NOTICES_WAIT`.
        """

    async def hold(self, letter: QueuedLetter) -> bool:
        """Lock the claimed letter until the transaction ends; return False if it is settled, or claimed by another by
        now.
        """

    async def newer(self, letter: QueuedLetter, account: Account) -> bool:
        """Return whether a later letter of the same kind, sent or not, was asked of this account as it is now. What was
        asked of another account, of nobody, or in another epoch takes no letter's place, whatever mailbox it is for.
        """

    async def settle(self, letter: QueuedLetter, now: datetime, account_id: str | None) -> None:
        """Note that the letter was handed over, or is needed no more; `account_id` is whom it was for."""

    async def put_off(self, letter: QueuedLetter, due_at: datetime, fault: str) -> None:
        """Make the letter due again at `due_at`, because of `fault`. Does nothing if another has claimed it since."""

    async def refuse(self, letter: QueuedLetter, now: datetime, fault: str) -> None:
        """Note that the letter will never be taken, because of `fault`: it is kept, and not tried again. Does nothing
        if another has claimed it since.
        """

    async def delete_of(self, account_id: str) -> None:
        """Delete every letter of this account, and what was asked of it by email; none of another account's, whatever
        mailbox that one goes to.
        """

    async def purge_settled(self, account_id: str, most: int) -> int:
        """Delete up to `most` letters of an account that are settled; return their number."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` letters queued before `before` that are settled or refused; return their number."""

    async def withdraw(self, account_id: str, now: datetime, *, undo_since: datetime | None = None) -> None:
        """Settle letters that would carry a token for the account, refused ones and those asked for by email included,
        before they are sent. Those that undo a change of email go out all the same, unless it was at `undo_since` or
        later.
        """

    async def unsettled(self, most: int) -> list[LetterState]:
        """Return up to `most` letters that wait or were refused, the oldest first."""

    async def retry(self, now: datetime, letter_ids: Sequence[str] | None = None) -> int:
        """Make those of these letters due that could not be sent, refused ones too, or all such letters; return their
        number. Leaves one that is being sent at this moment alone.
        """

    async def backlog(self) -> Backlog:
        """Return how full the outbox is."""
