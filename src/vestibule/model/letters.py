"""Letters: what Vestibule mails, from the row in the outbox to the message that is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol

from vestibule.model.accounts import Account
from vestibule.model.one_time_tokens import LIFETIMES, UNDO_MAILED_WITHIN, Purpose

WORKS_FOR = "works_for"
"""A key in a letter's detail: for how many seconds its link must work, until another letter may be asked for."""

ADDED_AT = "added_at"
"""A key in a letter's detail: when the passkey that it tells of was added."""

DUE_AT = "due_at"
"""A key in a letter's detail: when the reset of second factors that it tells of is due."""

REMOVED = "removed"
"""A key in a letter's detail: the kinds of second factors that were removed, separated by spaces."""

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
    PASSKEY_MAY_BE_COPIED = "passkey_may_be_copied"
    SECOND_FACTOR_PAUSED = "second_factor_paused"
    FACTORS_LOST = "factors_lost"
    FACTOR_RESET_BEGUN = "factor_reset_begun"
    FACTOR_RESET_CANCELED = "factor_reset_canceled"
    FACTORS_RESET = "factors_reset"
    ACTING_BEGUN = "acting_begun"
    EMAIL_TAKEN = "email_taken"
    SIGN_IN_CODE = "sign_in_code"
    INVITATION = "invitation"
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
        LetterKind.PASSKEY_MAY_BE_COPIED,
        LetterKind.SECOND_FACTOR_PAUSED,
        LetterKind.FACTOR_RESET_CANCELED,
        LetterKind.FACTORS_RESET,
        LetterKind.ACTING_BEGUN,
    }
)
"""Letters that nobody asked for: they tell the owner of an account what happened to it. A notice goes to the verified
email that the account had when it happened. Otherwise an attacker could change the email and receive the notice in the
owner's place.
"""

REGISTERED_AGAIN = "registered_again"
"""The `why` in a reset letter's detail: the password was removed, because the email was registered more than once."""

TAKEN_BACK = "taken_back"
"""The `why` in a reset letter's detail: the password was removed, because the owner undid a change of email."""

FACTOR_REPORTED = "factor_reported"
"""The `why` in a reset letter's detail: the password was removed, because a new second factor was reported as a
stranger's.
"""

TOKEN_PURPOSES = {
    LetterKind.VERIFY_EMAIL: Purpose.VERIFY_EMAIL,
    LetterKind.RESET_PASSWORD: Purpose.RESET_PASSWORD,
    LetterKind.CONFIRM_NEW_EMAIL: Purpose.CHANGE_EMAIL,
    LetterKind.EMAIL_CHANGED: Purpose.UNDO_EMAIL_CHANGE,
    LetterKind.FACTOR_ADDED: Purpose.REMOVE_NEW_FACTOR,
    LetterKind.FACTORS_LOST: Purpose.RESET_FACTORS,
    LetterKind.FACTOR_RESET_BEGUN: Purpose.KEEP_FACTORS,
    LetterKind.SIGN_IN_CODE: Purpose.SIGN_IN_CODE,
    LetterKind.INVITATION: Purpose.INVITATION,
}
"""For each kind of letter that carries a token, in its link or as a code: the purpose of that token. The links of other
letters lead to the page where a password reset is asked for.
"""


@dataclass(frozen=True)
class QueuedLetter:
    """A letter in the outbox, which goes to `email`, or to the account's email if `email` is None. Without
    `account_id`, it is for the account that has `email` when the letter is sent, if any.

    `language` is what the request asked for; `detail` is what the letter tells; `attempts` is how often a worker has
    claimed it.

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
        Notices are sent in any case, if the email was verified then or has been verified since. So is the letter that
        announces a reset of second factors, because its link cancels the reset. A letter that undoes a change
        of email is sent for a time, unless the account has that email again.
        """
        unchanged = (self.asked_of, self.epoch) == (account.id, account.epoch)
        if self.kind in NOTICES:
            return self.email is not None or (unchanged and account.verified)
        if self.kind is LetterKind.EMAIL_TAKEN:
            return self.asked_of == account.id
        if self.kind not in TOKEN_PURPOSES or self.kind is LetterKind.FACTOR_RESET_BEGUN:
            return True
        if self.kind is LetterKind.EMAIL_CHANGED:
            return account.email != self.email and now < self.created_at + UNDO_MAILED_WITHIN
        if self.kind is LetterKind.SIGN_IN_CODE and now >= self.created_at + LIFETIMES[Purpose.SIGN_IN_CODE]:
            return False
        return unchanged


@dataclass(frozen=True)
class Letter:
    """A letter ready to be rendered and sent. `id` is the same in every attempt to send it. `link_lifetime` is how long
    its link or code works; None if the link does not expire. `account_id` is the account it is about, if any. A letter
    with a `code` has no link.
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
    code: str = ""


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
