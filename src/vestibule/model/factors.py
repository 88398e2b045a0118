"""Second factors: what somebody proves beside the password at a sign-in. An account that has one needs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from vestibule.model.accounts import Role
from vestibule.model.permissions import OF_ROLE


class FactorKind(StrEnum):
    """A kind of second factor, as the API and the events name it."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


class SecondFactorRule(StrEnum):
    """Who must have a second factor, as VESTIBULE_SECOND_FACTOR names it."""

    OFFERED = "offered"
    REQUIRED = "required"
    REQUIRED_FOR_ADMINS = "required_for_admins"

    def demands(self, role: Role) -> bool:
        """Return whether an account with this role must have a second factor. `REQUIRED_FOR_ADMINS` is about every role
        that has a permission, not only `admin`.
        """
        return self is self.REQUIRED or (self is self.REQUIRED_FOR_ADMINS and bool(OF_ROLE[role]))


@dataclass(frozen=True)
class AccountFactors:
    """The second factors of an account: whether it has a confirmed authenticator app, and how many passkeys and unused
    recovery codes. `reset_due_at`: when they are removed, if a reset is under way.
    """

    totp: bool = False
    passkeys: int = 0
    recovery_codes_left: int = 0
    reset_due_at: datetime | None = None

    @property
    def needed(self) -> bool:
        """Return whether a sign-in needs a second step. Recovery codes alone are no factor."""
        return self.totp or self.passkeys > 0

    def reset_is_due(self, now: datetime) -> bool:
        """Return whether a reset is due."""
        return self.reset_due_at is not None and self.reset_due_at <= now

    @property
    def kinds(self) -> tuple[FactorKind, ...]:
        """Return the kinds with which a second step can be taken; empty if none is needed."""
        if not self.needed:
            return ()
        usable = {
            FactorKind.TOTP: self.totp,
            FactorKind.PASSKEY: self.passkeys > 0,
            FactorKind.RECOVERY_CODE: self.recovery_codes_left > 0,
        }
        return tuple(kind for kind, is_usable in usable.items() if is_usable)


class Factors(Protocol):
    """All second factors of an account together."""

    async def of(self, account_id: str) -> AccountFactors:
        """Return what the account has. With the account locked, that stays true until the transaction ends."""

    async def clear(self, account_id: str, since: datetime | None = None) -> Sequence[FactorKind]:
        """Delete the account's factors and recovery codes; with `since`, only those added at that moment or later.
        Return the kind of each confirmed factor, and `RECOVERY_CODE` once if codes were deleted.
        """
