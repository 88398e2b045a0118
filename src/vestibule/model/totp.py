"""Authenticator apps: each shares a secret with Vestibule, which is stored sealed. An account has one at most.

An app is a factor once it was confirmed by one of its codes. Only then does a new one replace the old one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vestibule.crypto.seal import Seal


@dataclass(frozen=True)
class Totp:
    """An authenticator app. `last_step` is the time step of the last code that was accepted.

    `session_id` is the session that began it, or the name of a pending sign-in (`PendingSignIn.beginner`). No other
    session or sign-in is shown the secret or can confirm the app: another one may be a thief's.
    """

    id: str
    account_id: str
    sealed_secret: str
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int | None = None
    last_used_at: datetime | None = None
    session_id: str | None = None


def seal_secret(seal: Seal, totp_id: str, secret: bytes) -> str:
    """Return the secret, sealed so that it opens only for this app."""
    return seal.close(secret, _name(totp_id))


def open_secret(seal: Seal, totp: Totp) -> bytes:
    """Return the secret; raises `CannotUnseal`."""
    return seal.open(totp.sealed_secret, _name(totp.id))


def _name(totp_id: str) -> str:
    return f"totp:{totp_id}"


class Totps(Protocol):
    """The authenticator apps. Lock the account before adding, confirming or removing one."""

    async def add(self, totp: Totp, begun_before: datetime) -> None:
        """Add one that is not confirmed yet. Delete the unconfirmed one that the same session or sign-in began, those
        begun before `begun_before`, and those whose session or sign-in is gone. So an account has no more of them than
        sessions and pending sign-ins, and a stranger's does not replace the owner's.
        """

    async def confirmed(self, account_id: str) -> Totp | None:
        """Return the account's confirmed app; None if it has none."""

    async def unconfirmed(self, account_id: str, session_id: str) -> Totp | None:
        """Return the app that this session or sign-in has begun and not confirmed; None if there is none."""

    async def confirm(self, totp: Totp, step: int, now: datetime) -> bool:
        """Confirm the app, in place of the earlier one; `step` is the time step of the code that confirms it. Return
        False, and do nothing, if it was confirmed already or is gone.
        """

    async def accept(self, totp_id: str, step: int, now: datetime) -> bool:
        """Accept the code of a time step; return False if one of this step or of a later one was accepted before. Of
        concurrent calls with one step only one returns True (RFC 6238, section 5.2).
        """

    async def remove(self, account_id: str) -> bool:
        """Remove the account's app, and one that is not confirmed; return whether there was a confirmed one."""

    async def sealed(self, after: str, most: int) -> list[Totp]:
        """Return up to `most` apps whose id is greater than `after`, in the order of their ids."""

    async def reencrypt(self, totp_id: str, old: str, new: str) -> bool:
        """Replace the sealed secret `old`, if it is still stored, by `new`; return whether that was done."""
