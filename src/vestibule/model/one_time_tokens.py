"""One-time tokens: the secrets in mailed links. Only their digest is kept, together with what they are for."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from vestibule.crypto.opaque import digest as digest_of
from vestibule.model.accounts import Account


class Purpose(StrEnum):
    """What a token can be spent on; one made for the one thing is nothing to the other."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"
    CHANGE_EMAIL = "change_email"
    UNDO_EMAIL_CHANGE = "undo_email_change"


LIFETIMES = {
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.RESET_PASSWORD: timedelta(minutes=10),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
    Purpose.UNDO_EMAIL_CHANGE: timedelta(hours=24),
}
UNDO_MAILED_WITHIN = timedelta(hours=48)
"""How long after a change of email the link that undoes it may still leave. With its lifetime this is how long after
the change it can be used."""


@dataclass(frozen=True)
class OneTimeToken:
    """A token as it is stored: bound to an account, to the email it was mailed to, and to a purpose.

    A letter that is sent twice carries a token each time; `letter_id` tells that they are one. `epoch` and
    `account_email` are the account's when it was asked for: in another epoch or under another email it is worth
    nothing, for then its password was changed, its email moved, or it was disabled since. Only what undoes a change of
    email outlives these, or whoever took the account would end it by one of them. The `created_at` of such a one is the
    moment of that change, which tells it from earlier and later ones.

    Beside those that are mailed, one that no secret opens keeps the old email, from the change on, for as long as that
    may be undone. It is spent and voided with them.
    """

    digest: str
    account_id: str
    purpose: Purpose
    email: str
    created_at: datetime
    expires_at: datetime
    letter_id: str | None = None
    epoch: int = 0
    account_email: str | None = None


def issue(digest: str, account: Account, purpose: Purpose, now: datetime) -> OneTimeToken:
    """The record of a token made at `now` for what the account is, mailed to its own email."""
    expires_at = now + LIFETIMES[purpose]
    email = account.email
    return OneTimeToken(digest, account.id, purpose, email, now, expires_at, epoch=account.epoch, account_email=email)


def mailed_to(token: OneTimeToken, email: str, letter_id: str) -> OneTimeToken:
    """The same token, as it goes out with a letter."""
    return replace(token, email=email, letter_id=letter_id)


def place_of_way_back(email: str) -> str:
    """The digest under which an email is kept for who was moved away from it; of no secret, for those have no space."""
    return digest_of(f"way back to {email}")


def kept_for(account: Account, letter_id: str, now: datetime) -> OneTimeToken:
    """What keeps the email that the account has, and is about to be moved from, while this letter can undo that."""
    kept = issue(place_of_way_back(account.email), account, Purpose.UNDO_EMAIL_CHANGE, now)
    lasts = UNDO_MAILED_WITHIN + LIFETIMES[Purpose.UNDO_EMAIL_CHANGE]
    return replace(kept, expires_at=now + lasts, letter_id=letter_id)
