"""Time, handed in. Nothing else in Vestibule asks the machine for the time; a lint rule enforces that."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from vestibule.protocol.clocks import MAX_APART_SECONDS

# Linux stops CLOCK_MONOTONIC while the machine is suspended, but leases and trust in the memory run out meanwhile.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

MOST_APART = timedelta(seconds=MAX_APART_SECONDS)
"""The largest accepted difference between a process's clock and the database's, and between a service's clock and
Vestibule's. A process's or service's clock that differs by more is not trusted. A stored time more than twice this in
the future was written by a clock that was ahead.
"""

SMALLEST_STEP = timedelta(microseconds=1)
"""How far apart two moments are at least that are not the same."""

LAST_YEAR = 9000
"""The last year of an accepted time. Python's `datetime` ends in 9999, so lifetimes can still be added."""


class Clock(Protocol):
    """What tells the time. Tests use one that they move themselves."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return the seconds of a clock that nobody can set, and that also runs while the machine sleeps."""


class OtherClock(Protocol):
    """The clock of another machine, to compare this machine's clock with."""

    async def now(self) -> datetime | None:
        """Return the other clock's time; None if there is no other clock. Raises `StoreUnavailable`."""


class NoOtherClock:
    """No other clock: the database is a file on this machine."""

    async def now(self) -> datetime | None:
        return None


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.clock_gettime(_CLOCK)
