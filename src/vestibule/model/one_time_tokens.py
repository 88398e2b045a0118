"""One-time tokens: the secrets in mailed links. Only their digest is kept, together with what they are for."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

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
    email outlives these, or an attacker who took the account would end it by one of them. The `created_at` of such a
    one is the moment of that change, which tells it from earlier and later ones.

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
    """Return the record of a token made at `now` for what the account is, mailed to its own email."""
    expires_at = now + LIFETIMES[purpose]
    email = account.email
    return OneTimeToken(digest, account.id, purpose, email, now, expires_at, epoch=account.epoch, account_email=email)


def mailed_to(token: OneTimeToken, email: str, letter_id: str) -> OneTimeToken:
    """Return the same token, as it goes out with a letter."""
    return replace(token, email=email, letter_id=letter_id)


def place_of_way_back(email: str) -> str:
    """Return the digest under which an email is kept for the account that was moved away from it. It is the digest of
    no secret: those contain no space.
    """
    return digest_of(f"way back to {email}")


def kept_for(account: Account, letter_id: str, now: datetime) -> OneTimeToken:
    """Return the record that keeps the email which the account has, and is about to be moved from, while this letter
    can undo the change.
    """
    kept = issue(place_of_way_back(account.email), account, Purpose.UNDO_EMAIL_CHANGE, now)
    lasts = UNDO_MAILED_WITHIN + LIFETIMES[Purpose.UNDO_EMAIL_CHANGE]
    return replace(kept, expires_at=now + lasts, letter_id=letter_id)


class OneTimeTokens(Protocol):
    """What was mailed and not yet spent."""

    async def replace(self, token: OneTimeToken) -> None:
        """Store the token and void older ones of the same account and purpose, except those that went out with the same
        letter, and those that undo a change of email and went to another email.
        """

    async def keep(self, token: OneTimeToken) -> None:
        """Keep an email for the account that is moved away from it (`kept_for`), in the transaction that moves it."""

    async def usable(self, digest: str, purpose: Purpose, now: datetime) -> bool:
        """Return whether there is such a token, neither spent nor expired. Decides nothing: `consume` does."""

    async def wanted_email(self, account_id: str, digest: str, now: datetime) -> str | None:
        """Return the email that this account gets by spending this token now; None by any other token. Decides nothing
        either.
        """

    async def consume(self, digest: str, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """Spend the token and what went out with it, once, and return it: of any number of racers one gets it.

        Return None if it is unknown, spent or expired; if the account is disabled; or, for what does not undo a change,
        if the account has another email than when it was asked for, or is in another epoch. Call it after
        `Accounts.lock_for_token`.
        """

    async def void(self, account_id: str, *, undo_since: datetime | None = None) -> None:
        """Void the unspent tokens of an account. One that undoes a change of email is the last way back of an owner
        whose account was taken over: it dies only if the change was at `undo_since` or later.
        """

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` tokens that expired before `before`, spent or not; return their number."""
