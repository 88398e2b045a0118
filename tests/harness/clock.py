"""A clock that stands still until the test moves it."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """`model.clock.Clock` for tests."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 23, 23, 9, 51, 236_000, tzinfo=UTC)
        self._lead = timedelta()

    def now(self) -> datetime:
        return self._now + self._lead

    def monotonic(self) -> float:
        return self._now.timestamp()

    def advance(self, **units: float) -> None:
        """Let time pass: `clock.advance(minutes=10, seconds=1)`."""
        self._now += timedelta(**units)

    def set_ahead(self, lead: timedelta) -> None:
        """Set the wall clock ahead by `lead`, or back if it is negative. The monotonic clock does not change."""
        self._lead = lead
