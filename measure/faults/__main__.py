"""`python -m measure.faults`: run the cells, print what each found, and write docs/reliability.md with its picture.

`CELLS=F5,F7`, or names as arguments, choose some of them. `--short` runs few repetitions and writes nothing.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from measure.faults import record
from measure.faults.cell import Cell, Finding, Outcome, run_cell
from measure.faults.cells import ALL
from measure.faults.page import page
from measure.faults.plot import draw
from measure.machine import Machine
from tests.harness import run

_SAMPLE = 12  # of each kind of acknowledged things, how many the audit tries


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m measure.faults", description="Break a running Vestibule.")
    parser.add_argument("cells", nargs="*", help="ids such as F5; all, without any")
    parser.add_argument("--short", action="store_true", help="few repetitions; writes nothing")
    parser.add_argument("--page", action="store_true", help="only make the page anew from the record")
    chosen = parser.parse_args()
    # So that SIGTERM, too, runs the `finally` blocks, which stop the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not chosen.page:
        names = set(chosen.cells) | {name for name in os.environ.get("CELLS", "").split(",") if name}
        _run([cell for cell in ALL if not names or cell.id in names], chosen.short)
    if not chosen.short:
        _write_page()


def _run(cells: list[Cell], short: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("Starting", total=len(cells))
        for cell in cells:
            progress.update(bar, description=f"{cell.id} {cell.what}")
            outcome = _one(cell, short)
            _tell(outcome, progress.console)
            if not short:
                record.write([outcome])
            progress.advance(bar)


def _one(cell: Cell, short: bool) -> Outcome:
    times, seconds = (cell.short, cell.short_seconds) if short else (cell.full, cell.seconds)
    run.folder()
    with TemporaryDirectory(prefix="vestibule-faults-") as folder:
        try:
            return asyncio.run(run_cell(cell, Path(folder), times, seconds, _SAMPLE))
        except Exception as fault:  # the others are run all the same
            broke_off = Finding("the cell is run to its end", f"{type(fault).__name__}: {fault}"[:300], held=False)
            return Outcome(cell, times, findings=[broke_off], took=1.0)


def _tell(outcome: Outcome, console: Console) -> None:
    verdict = "held" if outcome.passed else "FALLS SHORT" if outcome.ran else f"not run: {outcome.cell.why_not}"
    console.print(f"[bold]{outcome.cell.id}[/] {outcome.cell.what}: {verdict} ({outcome.took:.0f} s)")
    if outcome.violations:
        console.print(f"    {outcome.violations}", markup=False)
    for finding in outcome.findings:
        held = "ok " if finding.held else "NOT"
        console.print(f"    {held} {finding.expectation}: {finding.measured}", markup=False)
    for note in outcome.notes:
        console.print(f"    {note}", markup=False)


def _write_page() -> None:
    recorded = record.read(ALL)
    docs = record.ROOT / "docs"
    (docs / "reliability.md").write_text(page(recorded, Machine.this()))
    draw(recorded, docs / "reliability.png")


if __name__ == "__main__":
    main()
