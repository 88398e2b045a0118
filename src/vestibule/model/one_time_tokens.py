"""One-time tokens: the secrets in mailed links, and mailed codes. Only their digest is kept, with what they are for."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from vestibule.crypto.opaque import digest as digest_of
from vestibule.model import email_codes
from vestibule.model.accounts import Account


class Purpose(StrEnum):
    """What a token can be spent on. A token of one purpose is refused for any other."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"
    CHANGE_EMAIL = "change_email"
    UNDO_EMAIL_CHANGE = "undo_email_change"
    KEEP_FACTORS = "keep_factors"
    SIGN_IN_CODE = "sign_in_code"
    RESET_FACTORS = "reset_factors"
    REMOVE_NEW_FACTOR = "remove_new_factor"
    INVITATION = "invitation"


LIFETIMES = {
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.RESET_PASSWORD: timedelta(minutes=10),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
    Purpose.UNDO_EMAIL_CHANGE: timedelta(hours=24),
    Purpose.KEEP_FACTORS: timedelta(hours=24),
    Purpose.SIGN_IN_CODE: email_codes.LIFETIME,
    Purpose.RESET_FACTORS: timedelta(hours=24),
    Purpose.REMOVE_NEW_FACTOR: timedelta(days=3),
    Purpose.INVITATION: timedelta(days=7),
}
FOR_EVERY_EPOCH = frozenset({Purpose.UNDO_EMAIL_CHANGE, Purpose.KEEP_FACTORS, Purpose.REMOVE_NEW_FACTOR})
"""The purposes of tokens that stay valid when the password or the email changes: an owner needs them against an
attacker who has changed either.
"""
UNDOING = frozenset({Purpose.UNDO_EMAIL_CHANGE, Purpose.REMOVE_NEW_FACTOR})
"""The purposes of tokens that undo a change, and every later one. Their `created_at` is the time of that change."""
MOST_NEW_FACTORS = 100
"""How many tokens that remove a new factor an account may have. Letters bring fewer in the three days that each works,
because their number in a day is limited (`flows.tell_owner`).
"""
UNDO_MAILED_WITHIN = timedelta(hours=48)
"""How long after a change of email the letter that undoes it may still be sent. The lifetime of its link begins when
the letter is sent.
"""
UNDO_POSSIBLE_FOR = UNDO_MAILED_WITHIN + LIFETIMES[Purpose.UNDO_EMAIL_CHANGE]
"""How long a change of email can be undone at most."""


@dataclass(frozen=True)
class OneTimeToken:
    """A token as it is stored: bound to an account, to the email it was mailed to, and to a purpose.

    A letter that is sent twice carries a new token each time; tokens with the same `letter_id` are spent together.

    `epoch` and `account_email` are the account's when the token was made. If the account has another epoch or email by
    now, the token is void: the password or email was changed, or the account was disabled. Only tokens
    `FOR_EVERY_EPOCH` stay valid: otherwise an attacker who took the account could void them.

    A token that removes a new factor is for the factor that was added at its `created_at`. Once the account has no
    factor of that moment, the token is void.

    `return_to` is the page that the person was going to when the letter was asked for. Its form is checked when it is
    used.

    A change of email also stores a token that was never mailed and has no secret. That token keeps the old email for
    the account as long as the change can be undone (`token_that_keeps_email`), and is spent and voided with the mailed
    one.
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
    return_to: str | None = None


def issue(digest: str, account: Account, purpose: Purpose, now: datetime, return_to: str | None = None) -> OneTimeToken:
    """Return a token made at `now`, in the account's current epoch, mailed to the account's email."""
    return OneTimeToken(
        digest,
        account.id,
        purpose,
        account.email,
        now,
        now + LIFETIMES[purpose],
        epoch=account.epoch,
        account_email=account.email,
        return_to=return_to,
    )


def mailed_to(token: OneTimeToken, email: str, letter_id: str) -> OneTimeToken:
    """Return the same token, mailed with this letter to `email`."""
    return replace(token, email=email, letter_id=letter_id)


def kept_email_digest(email: str) -> str:
    """Return the digest in the token that keeps an account's old email (`token_that_keeps_email`). No secret has this
    digest, because secrets contain no space.
    """
    return digest_of(f"way back to {email}")


def token_that_keeps_email(account: Account, letter_id: str, now: datetime) -> OneTimeToken:
    """Return a token that keeps the account's current email for it. Store it when the email is changed. The token
    expires when the letter `letter_id` can no longer undo the change.
    """
    kept = issue(kept_email_digest(account.email), account, Purpose.UNDO_EMAIL_CHANGE, now)
    return replace(kept, expires_at=now + UNDO_POSSIBLE_FOR, letter_id=letter_id)


class OneTimeTokens(Protocol):
    """The one-time tokens."""

    async def replace(self, token: OneTimeToken) -> None:
        """Store the token and void older ones of the same account and purpose. Older ones stay valid if they are of the
        same letter, or if they undo a change of email and were mailed to another email.
        """

    async def keep(self, token: OneTimeToken) -> None:
        """Store a `token_that_keeps_email`. Call it in the transaction that changes the email."""

    async def add_beside(self, token: OneTimeToken, most: int) -> None:
        """Store the token beside others of the same account and purpose, which stay valid. Of more than `most`, the
        oldest are deleted.
        """

    async def usable(self, digest: str, purpose: Purpose, now: datetime) -> bool:
        """Return whether `consume` would spend the token now. The token may be spent a moment later: only `consume`
        decides.
        """

    async def look_up(self, digest: str, purpose: Purpose) -> OneTimeToken | None:
        """Return the token as it is stored, also if it is spent or expired; None if it is unknown, void or purged."""

    async def wanted_email(self, account_id: str, digest: str, now: datetime) -> str | None:
        """Return the email that this account would get by spending this token now; None if it would get none. Only
        `consume` decides.
        """

    async def consume(self, digest: str, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """Spend the token, with the others of its letter, and return it. Of concurrent calls only one gets it.

        Return None if the token is unknown, spent or expired, or if the account is disabled. Return None too if the
        account's email or epoch has changed, unless the token is `FOR_EVERY_EPOCH`, or if the factor that it removes is
        gone. A token that is `UNDOING` spends those of later changes too. Call it after `Accounts.lock_for_token`.
        """

    async def void(self, account_id: str, *, undo_since: datetime | None = None) -> None:
        """Void the tokens of an account, spent or not, except those `FOR_EVERY_EPOCH`, which may be an owner's last way
        to regain a stolen account, or to keep it. With `undo_since`, void also those of them that undo a change of
        email made then or later.
        """

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` tokens that expired before `before`, spent or not; return their number."""
