"""Passkeys: the public keys of authenticators; and ceremonies, the questions that authenticators answer.

A question is not stored when it is asked, because then strangers could fill a table. The browser keeps it, sealed, in a
cookie (`flows/ceremony.py`). Only a question that was answered is stored, so that it is answered once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from vestibule.protocol.authentication import Method

MOST_PASSKEYS = 20
"""How many passkeys an account may have."""
MAX_PASSKEY_NAME_CHARACTERS = 64


class CeremonyPurpose(StrEnum):
    """What a question to an authenticator is asked for. Its answer is refused for any other purpose."""

    ADD = "add"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"
    STEP_UP = "step_up"


@dataclass(frozen=True)
class Ceremony:
    """A question to an authenticator: a random challenge that can be answered once, until `expires_at`."""

    challenge: bytes
    expires_at: datetime


@dataclass(frozen=True)
class Passkey:
    """A credential of an account (WebAuthn, section 4, "credential record"). Id and key are base64url, the key is a
    COSE_Key. `domain` is the RP ID it was made for. `backup_eligible`: it may be synced to other devices; `backed_up`:
    it was, when it was last used. `needs_password`: it does not sign in alone, because the account's password was reset
    by mail since it was used.
    """

    id: str
    account_id: str
    domain: str
    credential_id: str
    public_key: str
    sign_count: int
    aaguid: str
    name: str
    transports: tuple[str, ...]
    user_verified: bool
    backup_eligible: bool
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None = None
    needs_password: bool = False

    @property
    def key_method(self) -> Method:
        """Return the method of the passkey's key (RFC 8176): software if it may be synced, otherwise hardware."""
        return Method.SOFTWARE_KEY if self.backup_eligible else Method.HARDWARE_KEY

    def methods(self, *, user_verified: bool) -> tuple[str, ...]:
        """Return the methods that a use of this passkey proves (RFC 8176): two factors, if the user was verified."""
        proved = (self.key_method, Method.USER_PRESENT, Method.MORE_THAN_ONE_FACTOR)
        return proved if user_verified else (self.key_method,)


@dataclass(frozen=True)
class PasskeyUse:
    """A use of a passkey. `counted_on` is False if its signature counter did not grow: there may be a copy."""

    counted_on: bool


class Passkeys(Protocol):
    """The passkeys of all accounts."""

    async def add(self, passkey: Passkey) -> bool:
        """Add the passkey; return False, and add nothing, if any account has its credential already, or if this account
        has `MOST_PASSKEYS`. Call it after the account was locked.
        """

    async def of_account(self, account_id: str) -> Sequence[Passkey]:
        """Return the passkeys of an account, the oldest first."""

    async def with_credential(self, credential_id: str) -> Passkey | None:
        """Return the passkey with this credential, or None."""

    async def use(
        self, passkey_id: str, sign_count: int, now: datetime, *, backed_up: bool, alone: bool = True
    ) -> PasskeyUse | None:
        """Note that a passkey was used, with the signature counter that its authenticator sent. None if it is gone, or
        if it was used `alone` and needs a password. After a use that is not `alone`, it needs none any more. The
        stored counter never falls. Of concurrent uses with the same counter, only one has `counted_on`.
        """

    async def need_password(self, account_id: str) -> None:
        """Keep all passkeys of the account from signing in alone. Call it with the account locked."""

    async def rename(self, account_id: str, passkey_id: str, name: str) -> bool:
        """Rename a passkey; return False if the account has none with this id."""

    async def remove(self, account_id: str, passkey_id: str) -> Passkey | None:
        """Delete a passkey and return it; None if the account has none with this id."""

    async def domain(self) -> str | None:
        """Return the domain that the stored passkeys were made for; None if there are none. They all have the same one:
        a server with another domain does not start.
        """


class Ceremonies(Protocol):
    """The questions that were answered (`flows/ceremony.py`)."""

    async def spend(self, ceremony: Ceremony) -> bool:
        """Note that the question was answered; return False if it was before. Of concurrent answers one counts."""

    async def purge(self, before: datetime, most: int) -> int:
        """Delete up to `most` questions that ended before `before`; return their number."""
