"""Revocations: what ended before its tokens did, as a record that everybody reads and a set that everybody keeps.

The ids revoked within the life of an access token are few: a hundred log-outs a second for fifteen minutes are
90,000. So every process holds all of them in memory, and a check costs two look-ups and no I/O.
"""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

OVERLAP_SECONDS = 30.0
"""How far back the backlog is read again. Wider than the longest transaction, because sequence numbers are not commit
order: number 7 may be committed after 8 has been read."""


class RevocationKind(StrEnum):
    """What a revocation is about."""

    SESSION = "session"
    ACCOUNT = "account"
    ACCOUNT_CHANGED = "account_changed"


@dataclass(frozen=True)
class Revocation:
    """From `at` on, tokens of `subject` are refused: a session's all, an account's those issued before `not_before`.

    `ACCOUNT_CHANGED` refuses nothing; it says that what is remembered of the account is out of date.
    After `purge_at` every such token has expired, and the record may be purged.
    """

    at: datetime
    kind: RevocationKind
    subject: str
    purge_at: datetime
    not_before: datetime | None = None
    sequence: int = 0


@dataclass(frozen=True)
class Notice:
    """What a service has to know of a revocation: whom it is about, since when, and for how long it matters.

    Seconds are counted from when it is heard, because two machines' clocks may disagree. `not_before` has whole
    seconds since 1970, as `iat` has; None for a session, whose tokens are refused whenever they were issued.
    """

    kind: RevocationKind
    subject: str
    seconds: int
    not_before: int | None = None

    @classmethod
    def of(cls, revocation: Revocation) -> "Notice | None":
        """Return the notice of a revocation; None if it refuses nobody."""
        seconds = math.ceil((revocation.purge_at - revocation.at).total_seconds())
        if revocation.kind is RevocationKind.SESSION:
            return cls(revocation.kind, revocation.subject, seconds)
        if revocation.kind is RevocationKind.ACCOUNT and revocation.not_before is not None:
            return cls(revocation.kind, revocation.subject, seconds, int(revocation.not_before.timestamp()))
        return None


@dataclass(frozen=True)
class Range:
    """How many records there are in a range of the record, and the sum of their numbers. One that was committed late
    and one that was deleted meanwhile make another sum, since the one deleted is the older by far.
    """

    count: int
    total: int


@dataclass(frozen=True)
class Reach:
    """What of the record a process reads: all that was recorded after a number, whatever its writer's clock showed, and
    of what came before it that which was not over at `since`. Chosen by the record's order as far as can be, because no
    clock is always right.
    """

    begins_after: int
    since: datetime


class WakeUps(Protocol):
    """How one process tells the others to look now. A wake-up may be lost; it carries nothing and proves nothing."""

    async def send(self) -> None:
        """Wake up the others. Never fails, and never takes long."""

    def listen(self) -> AsyncIterator[None]:
        """Yield once for each wake-up, or for several at once; goes on through every fault."""


class Revocations(Protocol):
    """What ended before its tokens did."""

    async def append(self, revocations: Sequence[Revocation]) -> list[Revocation]:
        """Record the revocations; return them with their sequence numbers. They hold everywhere once the transaction
        commits.
        """

    async def reach(self, since: datetime, latest: datetime) -> Reach:
        """Return what to read in order to know all that was not over at `since`: from the first such record on, except
        those of a time after `latest`, which come from a clock that was ahead.
        """

    async def after(self, sequence: int, reach: Reach, most: int) -> list[Revocation]:
        """Return up to `most` of the first records with a greater sequence number within `reach`, in its order."""

    async def between(self, after: int, up_to: int, reach: Reach) -> Range:
        """Return the count and the sum of the records after one sequence number and up to another, within `reach`."""

    async def purge(self, now: datetime, most: int) -> int:
        """Delete up to `most` records that can matter to no token any more; return their number. The newest stays for
        its number alone, without whom it was about.
        """
