"""Revocations: sessions and accounts that ended before their tokens expired.

The record is the table of all revocations. Every process reads it and keeps them in memory as a set, so a check costs
two look-ups in that set and no I/O. The set fits into memory because few ids are revoked within the lifetime of an
access token: a hundred log-outs a second for fifteen minutes are 90,000.
"""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

OVERLAP_SECONDS = 30.0
"""How far back the record is read again. Longer than the longest transaction, because sequence numbers are not in the
order of commits: number 7 may be committed after 8 has been read.
"""


class RevocationKind(StrEnum):
    """What a revocation is about."""

    SESSION = "session"
    ACCOUNT = "account"
    ACCOUNT_CHANGED = "account_changed"


@dataclass(frozen=True)
class Revocation:
    """From `at` on, tokens of `subject` are refused: all of a session, or those of an account issued before
    `not_before`.

    `ACCOUNT_CHANGED` refuses no token: it says that what processes remember of the account is out of date. After
    `purge_at` every refused token has expired, and the revocation may be purged.
    """

    at: datetime
    kind: RevocationKind
    subject: str
    purge_at: datetime
    not_before: datetime | None = None
    sequence: int = 0


@dataclass(frozen=True)
class Notice:
    """A revocation as it is sent to services: its subject, and for how many seconds it matters.

    The seconds are counted from when the service receives it, because two machines' clocks may disagree. `not_before`
    is in whole seconds since 1970, like `iat`; None for a session, all of whose tokens are refused.
    """

    kind: RevocationKind
    subject: str
    seconds: int
    not_before: int | None = None

    @classmethod
    def of(cls, revocation: Revocation) -> "Notice | None":
        """Return the notice of a revocation; None if it refuses no token."""
        seconds = math.ceil((revocation.purge_at - revocation.at).total_seconds())
        if revocation.kind is RevocationKind.SESSION:
            return cls(revocation.kind, revocation.subject, seconds)
        if revocation.kind is RevocationKind.ACCOUNT and revocation.not_before is not None:
            return cls(revocation.kind, revocation.subject, seconds, int(revocation.not_before.timestamp()))
        return None


@dataclass(frozen=True)
class RangeChecksum:
    """The count of revocations in a part of the record, and the sum of their sequence numbers.

    Two reads with equal count and sum saw the same rows. If between them one row was committed late and another was
    purged, the count is the same but the sum is not: the purged row has a much lower number.
    """

    count: int
    total: int


@dataclass(frozen=True)
class Reach:
    """Which part of the record a process reads: all revocations after the number `begins_after`, and those earlier
    ones that were not over at `since`. Sequence numbers decide as far as possible, because clocks may be wrong.
    """

    begins_after: int
    since: datetime


class WakeUps(Protocol):
    """How one process tells the others to read the record now. A wake-up carries no data, and may be lost."""

    async def send(self) -> None:
        """Wake up the other processes. Never fails, and never takes long."""

    def listen(self) -> AsyncIterator[None]:
        """Yield once for each wake-up, or once for several. Goes on after every fault."""


class Revocations(Protocol):
    """The record of revocations."""

    async def append(self, revocations: Sequence[Revocation]) -> list[Revocation]:
        """Record the revocations; return them with their sequence numbers. Revocations are in force once the
        transaction commits.
        """

    async def reach(self, since: datetime, latest: datetime) -> Reach:
        """Return which part to read to know every revocation that was not over at `since`. The part begins at the first
        such revocation, not counting those made after `latest`, by a clock that was ahead.
        """

    async def after(self, sequence: int, reach: Reach, most: int) -> list[Revocation]:
        """Return up to `most` revocations after this sequence number and within `reach`, in the order of numbers."""

    async def between(self, after: int, up_to: int, reach: Reach) -> RangeChecksum:
        """Return count and sum of the revocations after one sequence number and up to another, within `reach`."""

    async def purge(self, now: datetime, most: int) -> int:
        """Delete up to `most` revocations whose tokens have all expired; return their number. The newest row stays, so
        that its number is not given again, but loses its subject.
        """
