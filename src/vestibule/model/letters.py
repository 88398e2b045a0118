"""Letters: what Vestibule mails, from the row in the outbox to the message that is sent.

The outbox is the table of letters that wait. A row holds no secret: the email, the account and the link are looked up
or made when the letter is sent. So no letter goes to an old email, no link has expired on arrival, and a stolen outbox
is worth nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol

from vestibule.model.accounts import Account
from vestibule.model.one_time_tokens import UNDO_MAILED_WITHIN, Purpose

LEASE = timedelta(seconds=60)  # how long a claimed letter belongs to one worker
FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(days=4)  # RFC 5321, section 4.5.4.1: at least four to five days

WORKS_FOR = "works_for"
"""A key in a letter's detail: for how many seconds its link must work, until another letter may be asked for."""


RETURN_TO = "return_to"
"""A key in a letter's detail: the page that the person was going to. The page is stored with the token of the link, and
no letter shows it: anybody could have words of their own mailed in our name that way.
"""


class LetterKind(StrEnum):
    """What a letter says."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"
    CONFIRM_NEW_EMAIL = "confirm_new_email"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"
    NEW_DEVICE = "new_device"
    TOKEN_REUSED = "token_reused"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    EMAIL_TAKEN = "email_taken"
    TEST = "test"


NOTICES = frozenset(
    {
        LetterKind.PASSWORD_CHANGED,
        LetterKind.NEW_DEVICE,
        LetterKind.TOKEN_REUSED,
        LetterKind.FACTOR_ADDED,
        LetterKind.FACTOR_REMOVED,
        LetterKind.RECOVERY_CODES_MADE,
        LetterKind.RECOVERY_CODE_USED,
    }
)
"""Letters that nobody asked for: they tell the owner of an account what happened to it. A notice goes to the verified
email that the account had when it happened. Otherwise an attacker could change the email and receive the notice in the
owner's place.
"""

NOTICES_WAIT = timedelta(minutes=15)
"""How long other letters go before a notice, because nobody waits for a notice."""

REGISTERED_AGAIN = "registered_again"
"""The `why` in a reset letter's detail: the password was removed, because the email was registered more than once."""

TAKEN_BACK = "taken_back"
"""The `why` in a reset letter's detail: the password was removed, because the owner undid a change of email."""

LINK_PURPOSES = {
    LetterKind.VERIFY_EMAIL: Purpose.VERIFY_EMAIL,
    LetterKind.RESET_PASSWORD: Purpose.RESET_PASSWORD,
    LetterKind.CONFIRM_NEW_EMAIL: Purpose.CHANGE_EMAIL,
    LetterKind.EMAIL_CHANGED: Purpose.UNDO_EMAIL_CHANGE,
}
"""For each kind of letter whose link contains a token: the purpose of that token. The links of other letters lead to
the page where a reset is asked for.
"""


@dataclass(frozen=True)
class QueuedLetter:
    """A letter in the outbox, which goes to `email`, or to the account's email if `email` is None. Without
    `account_id`, it is for the account that has `email` when the letter is sent, if any.

    `language` is what the request asked for; `detail` is what the letter tells; `attempts` counts the claims.

    The outbox itself adds `asked_of` and `epoch`: the id and the epoch that the letter's account had when the letter
    was queued. Without `account_id`, that is the account that had `email` then; None if there was none. A change of
    email begins a new epoch, so the epoch also shows that the email is unchanged. To a notice, the outbox adds the
    account's `email`, if it was verified.
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
        """Return whether the letter may still be sent, by what has happened to the account since it was queued.

        After a change of password or email, or after the account was disabled, links asked for before are not sent.
        Notices are sent in any case, if the email was verified then or has been verified since.
        """
        unchanged = (self.asked_of, self.epoch) == (account.id, account.epoch)
        if self.kind in NOTICES:
            return self.email is not None or (unchanged and account.verified)
        if self.kind is LetterKind.EMAIL_TAKEN:
            return self.asked_of == account.id
        if self.kind not in LINK_PURPOSES:
            return True
        if self.kind is LetterKind.EMAIL_CHANGED:
            return account.email != self.email and now < self.created_at + UNDO_MAILED_WITHIN
        return unchanged


class Delivery(StrEnum):
    """What became of a claimed letter. `NOBODY`: nobody needs it any more."""

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
class Letter:
    """A letter ready to be rendered and sent. `id` is the same in every attempt to send it. `link_lifetime` is how long
    its link works; None if the link does not expire. `account_id` is the account it is about, if any.
    """

    id: str
    kind: LetterKind
    to: str
    name: str
    link: str
    language: str = "en"
    detail: Mapping[str, str] = field(default_factory=dict)
    link_lifetime: timedelta | None = None
    account_id: str | None = None


class Mailer(Protocol):
    """What sends letters."""

    async def send(self, letter: Letter) -> str:
        """Send `letter`; return the mail server's answer. Raises `NotSent` if no server accepted it, and
        `RefusedForGood` if none ever will.
        """


class Writer(Protocol):
    """What turns a letter into the message that is sent."""

    def write(self, letter: Letter) -> EmailMessage:
        """Return the message, as it would be sent now."""


class NotSent(Exception):
    """The letter could not be handed over; it stays in the outbox and is tried again."""


class RefusedForGood(NotSent):
    """The mail server rejected the letter permanently (RFC 5321, section 4.2.1: a reply of 5yz). Not tried again."""


def retry_after(attempts: int) -> timedelta:
    """Return how long to wait after this many failed attempts: a second, doubled each time, up to five minutes."""
    doublings: int = min(attempts - 1, 16)  # far beyond `LAST_RETRY`; bounded, so that the number stays small
    return min(FIRST_RETRY * (1 << doublings), LAST_RETRY)


class Letters(Protocol):
    """The outbox."""

    async def queue(self, letter: QueuedLetter) -> None:
        """Put a letter in, due at once. Adds `asked_of` and `epoch`, in one statement, which is the same if no account
        has the email.
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

    async def settle(self, letter: QueuedLetter, now: datetime, account_id: str | None) -> None:
        """Note that the letter was sent, or is no longer needed; `account_id` is the account it was for."""

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
        Letters that undo a change of email are still sent, unless the change was at `undo_since` or later.
        """

    async def unsettled(self, most: int) -> list[LetterState]:
        """Return up to `most` letters that wait or were refused, the oldest first."""

    async def retry(self, now: datetime, letter_ids: Sequence[str] | None = None) -> int:
        """Make letters due again that could not be sent or were refused: these, or all if None; return their number.
        Skips a letter that is being sent at this moment.
        """

    async def counts(self) -> OutboxCounts:
        """Return how many letters wait or were refused, and since when the oldest one waits."""
