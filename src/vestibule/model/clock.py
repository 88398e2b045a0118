"""Time, handed in. Nothing else in Vestibule asks the machine what time it is (a lint rule keeps it so)."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from vestibule.protocol.clocks import MAX_APART_SECONDS

# Linux stops CLOCK_MONOTONIC while the machine is suspended, and a lease may not stand still meanwhile.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

MOST_APART = timedelta(seconds=MAX_APART_SECONDS)
"""How far a process's clock may be from that of the database, and a service's from that of Vestibule, before nothing is
decided by it any more. What was written later than twice this from now is of a clock that was ahead, then or now.
"""

LAST_YEAR = 9000
"""Moments beyond are none: whatever is added to one would end at the year 9999."""


class Clock(Protocol):
    """What tells the time; tests hand in one that they move themselves."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return the seconds on a clock that nobody sets, and that goes on while the process or the machine sleeps."""


class OtherClock(Protocol):
    """What shows the time elsewhere, to compare one's own with."""

    async def now(self) -> datetime | None:
        """Return the time that clock shows; None if there is no clock but this machine's. Raises `StoreUnavailable`."""


class NoOtherClock:
    """There is none."""

    async def now(self) -> datetime | None:
        return None


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.clock_gettime(_CLOCK)
