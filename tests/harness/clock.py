"""A clock that stands still until the test moves it."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """`model.clock.Clock` for tests."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 23, 23, 9, 51, 236_000, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def advance(self, **units: float) -> None:
        """Let time pass: `clock.advance(minutes=10, seconds=1)`."""
        self._now += timedelta(**units)
