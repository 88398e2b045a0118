"""Run a cell of the fault matrix, and say what it found."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure.faults.audit import Audit
from measure.faults.load import PEOPLE, SHARE, Load
from measure.faults.stand import STANDARD, Footprint, Needs, Stand, standing
from measure.faults.timeline import Figures

_AROUND_SECONDS = 5.0  # of load before the fault, and after it


@dataclass(frozen=True)
class Finding:
    """An expectation of one cell: its words, what was measured, and whether it held."""

    expectation: str
    measured: str
    held: bool


@dataclass
class Run:
    """What a cell works with: the stand, the load on it, how often to cause the fault and for how many seconds."""

    stand: Stand
    load: Load
    times: int
    seconds: float
    copies_allowed: int = 0
    findings: list[Finding] = field(default_factory=list)

    def expect(self, expectation: str, measured: object, held: bool) -> None:
        self.findings.append(Finding(expectation, str(measured), bool(held)))

    @asynccontextmanager
    async def fault(self) -> AsyncIterator[None]:
        """Note when the fault begins and ends. Of several faults, the first beginning and the last end count."""
        line = self.load.timeline
        line.begun = line.begun or time.monotonic()
        try:
            yield
        finally:
            line.ended = time.monotonic()

    async def use(self, seconds: float) -> None:
        """Let the load go on for `seconds`."""
        await asyncio.sleep(seconds)

    def statuses(self, *kinds: str, skip: float = 0.0) -> Counter[str]:
        """Count the outcomes of the requests that began during the fault, but not in its first `skip` seconds: those of
        these kinds, or of all if none is given.
        """
        line = self.load.timeline
        begin, end = (line.begun or 0.0) + skip, line.ended or float("inf")
        return Counter(r.outcome for r in line.between(begin, end) if not kinds or r.kind in kinds)


Body = Callable[[Run], Awaitable[None]]


@dataclass(frozen=True)
class Cell:
    """A line of the fault matrix. `text` and `text_seconds` are how often and how long the matrix asks for; `full` and
    `seconds` what a full run does here; `short` and `short_seconds` what `--short` does. `unit` says what is counted.

    `recovery` is the matrix's bound for T99, in seconds. Without `run` the cell is not run, and `why_not` says why.
    """

    id: str
    what: str
    how: str
    expected: str
    run: Body | None = None
    needs: Needs = STANDARD
    unit: str = "times"
    text: int = 1
    full: int = 1
    short: int = 1
    seconds: float = 0.0
    short_seconds: float = 0.0
    text_seconds: float = 0.0
    recovery: float | None = None
    loaded: bool = True
    why_not: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one run of a cell found. `times` is 0 if it was not run; `took` is in seconds."""

    cell: Cell
    times: int
    figures: Figures | None = None
    violations: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    took: float = 0.0

    @property
    def ran(self) -> bool:
        """Return whether the cell was run, here or on the machine where the record was made."""
        return self.times > 0

    @property
    def sound(self) -> bool:
        """Return whether every invariant held."""
        return not any(self.violations.values())

    @property
    def passed(self) -> bool:
        return self.ran and self.sound and all(finding.held for finding in self.findings)


async def run_cell(
    cell: Cell,
    folder: Path,
    times: int,
    seconds: float,
    sample: int = 40,
    around: float = _AROUND_SECONDS,
    people: int = PEOPLE,
    share: float = SHARE,
) -> Outcome:
    """Run the cell once on a stand of its own, and return what it found. `around` is the seconds of load before the
    fault and after it, by `people` who do the `share` of the rates in `load.MIX`.
    """
    if cell.run is None:
        return Outcome(cell, 0)
    begun = time.monotonic()
    async with standing(folder, cell.needs) as stand:
        run = Run(stand, Load(stand, share, people), times, seconds)
        try:
            base = await _before(run, cell, around)
            await cell.run(run)
            await _after(run, cell, base, sample, around)
        finally:
            await run.load.end()
            await run.load.balancer.close()
        notes = [*run.load.ledger.notes, _last_words(stand)] if run.load.ledger.violations else run.load.ledger.notes
        return Outcome(
            cell,
            times,
            run.load.timeline.figures() if cell.loaded else None,
            dict(run.load.ledger.violations),
            run.findings,
            notes,
            dict(run.load.ledger.acknowledged),
            time.monotonic() - begun,
        )


async def _before(run: Run, cell: Cell, around: float) -> Footprint | None:
    if not cell.loaded:
        return None
    await run.load.begin()
    await run.use(around)
    return await run.stand.footprint()


async def _after(run: Run, cell: Cell, base: Footprint | None, sample: int, around: float) -> None:
    if not cell.loaded:
        return
    await run.use(around)
    await run.load.end()
    if cell.recovery is not None:
        found = run.load.timeline.recovered_after()
        within = found is not None and found <= cell.recovery
        measured = "never" if found is None else f"{found:.1f} s"
        run.expect(f"99 % succeed {cell.recovery:g} s after the fault", measured, within)
    await Audit(run.stand, run.load, sample).hold(base, run.copies_allowed)


def _last_words(stand: Stand) -> str:
    lines: list[Any] = [line for node in stand.nodes for line in node.output().splitlines()[-3:]]
    return "servers said last: " + " / ".join(lines)[:600]
