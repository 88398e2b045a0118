"""What the doctor found, for the console of a running server: examined in a thread of its own, one run at a time, and
kept for a while, so that no number of visits makes the server do this work again and again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vestibule.model.clock import Clock
from vestibule.model.findings import Finding, fault
from vestibule.process.tracebacks import summarize

KEPT = timedelta(minutes=5)
"""How long a report is shown before the next examination."""
WAIT_SECONDS = 10
"""How long a visit waits for an examination. An examination that takes longer goes on without the visit."""


@dataclass(frozen=True)
class HealthReport:
    """What was found, and when that was."""

    at: datetime
    findings: Sequence[Finding]


class HealthReports:
    """The reports of one process. `examine` may block: it runs in a thread."""

    def __init__(self, examine: Callable[[], Sequence[Finding]], clock: Clock) -> None:
        self._examine = examine
        self._clock = clock
        self._last: HealthReport | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def kept(self) -> HealthReport | None:
        """Return the last report; None if there is none, or it is older than `KEPT`. Begins no examination."""
        fresh = self._last is not None and self._clock.now() - self._last.at < KEPT
        return self._last if fresh else None

    async def latest(self) -> HealthReport | None:
        """Return the report that is kept, or a new one; None if that takes longer than `WAIT_SECONDS`."""
        if self.kept is None:
            if self._running is None or self._running.done():
                self._running = asyncio.create_task(self._run())
            await asyncio.wait({self._running}, timeout=WAIT_SECONDS)
        return self.kept

    async def _run(self) -> None:
        began = self._clock.now()
        try:
            findings = await asyncio.to_thread(self._examine)
        except Exception as error:
            what = f"could not examine the installation: {summarize(error)}"
            findings = [fault("doctor", what, "So anything may be wrong.", "vestibule doctor")]
        self._last = HealthReport(began, findings)
