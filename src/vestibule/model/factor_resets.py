"""Resets of second factors: all factors of an account are removed after a wait, in which its owner can cancel that."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

OPERATOR_WAIT = timedelta(hours=24)
"""The wait of a reset that an operator asked for."""
TOLD_WITHIN = timedelta(minutes=10)
"""If the owner is told later than this after the reset began, the wait begins when the owner is told."""


class AskedBy(StrEnum):
    """Who asked for a reset: an operator, or somebody with the account's password and a mailed link."""

    OPERATOR = "operator"
    OWNER = "owner"


class CanceledBy(StrEnum):
    """What canceled a reset: an operator, the mailed link, a session of the account, a factor that was used, or a
    change of the password or the email.
    """

    OPERATOR = "operator"
    LINK = "link"
    SESSION = "session"
    FACTOR = "factor"
    NEW_CREDENTIALS = "new_credentials"


class NoReset(StrEnum):
    """Why no reset can begin."""

    NO_FACTOR = "no_factor"
    UNDER_WAY = "under_way"
    DISABLED = "disabled"
    UNVERIFIED = "unverified"


@dataclass(frozen=True)
class FactorReset:
    """A reset that is under way. The factors are removed at `due_at` or soon after it."""

    account_id: str
    asked_at: datetime
    due_at: datetime
    asked_by: AskedBy

    def from_now(self, now: datetime) -> "FactorReset":
        """Return the reset with the same wait, which begins at `now`."""
        return replace(self, asked_at=now, due_at=now + (self.due_at - self.asked_at))


class FactorResets(Protocol):
    """The resets that are under way, at most one for each account."""

    async def begin(self, reset: FactorReset) -> bool:
        """Begin the reset; return False, and change nothing, if one is under way for the account."""

    async def of(self, account_id: str) -> FactorReset | None:
        """Return the reset of an account, or None."""

    async def cancel(self, account_id: str, asked_by: AskedBy | None = None) -> bool:
        """End the reset of an account; with `asked_by`, only one that this party asked for. Return False if there is
        none. Of concurrent calls of this and `finish`, only one returns True.
        """

    async def finish(self, account_id: str, now: datetime) -> bool:
        """End the reset of an account, if it is due and the letter that announces it was sent; return whether it was
        ended.
        """

    async def begin_anew(self, reset: FactorReset) -> None:
        """Give the account's reset these times, because its owner is told only now. Call it with the account locked."""

    async def due(self, now: datetime, most: int) -> list[str]:
        """Return the ids of the accounts of up to `most` resets that `finish` would end, the longest due first."""
