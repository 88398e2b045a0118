"""`python -m measure.speed`: measure, print the tables, and write docs/performance.md with its plot.

`--quick` takes two minutes, shows whether every step works, and writes nothing.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from measure.machine import Machine
from measure.server import ROOT
from measure.speed.page import page
from measure.speed.plan import FULL, QUICK, Plan
from measure.speed.plot import draw
from measure.speed.results import Results
from measure.speed.steps import Step, steps
from measure.speed.tables import Table, tables
from measure.speed.targets import reasons
from tests.harness import run

_TICK_SECONDS = 0.25
_COMMAND = "make bench"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m measure.speed", description="Measure Vestibule on this machine.")
    parser.add_argument("--quick", action="store_true", help="about two minutes; prints the tables and writes nothing")
    quick = parser.parse_args().quick
    console = Console()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = runner.run(_measured(QUICK if quick else FULL, console))
    for table in tables(results):
        console.print(_grid(table))
    for reason in reasons(results):
        console.print(f"Falls short. {reason}")
    if not quick:
        docs = ROOT / "docs"
        (docs / "performance.md").write_text(page(Machine.this(), _COMMAND, results))
        draw(results, docs / "performance.png")
        console.print("Written to docs/performance.md and docs/performance.png.")


async def _measured(plan: Plan, console: Console) -> Results:
    results = Results()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
    )
    run.folder()
    with TemporaryDirectory(prefix="vestibule-bench-") as folder, Progress(*columns, console=console) as progress:
        planned = steps(plan, results, Path(folder))
        bar = progress.add_task("Starting", total=sum(step.seconds for step in planned))
        for step in planned:
            if not console.is_terminal:  # there is no bar to be seen
                console.print(step.name)
            async with _shown(progress, bar, step):
                await step.run()
    return results


@asynccontextmanager
async def _shown(progress: Progress, bar: TaskID, step: Step) -> AsyncIterator[None]:
    """Move the bar while the block runs, at the rate that the step is expected to take, and set it to the
    step's end.
    """
    end = progress.tasks[bar].completed + step.seconds
    progress.update(bar, description=step.name)

    async def move() -> None:
        while progress.tasks[bar].completed + _TICK_SECONDS < end:
            progress.advance(bar, _TICK_SECONDS)
            await asyncio.sleep(_TICK_SECONDS)

    moving = asyncio.create_task(move())
    try:
        yield
    finally:
        moving.cancel()
        progress.update(bar, completed=end)


def _grid(table: Table) -> Grid:
    grid = Grid(title=table.heading, title_justify="left", title_style="bold", show_edge=False)
    for number, column in enumerate(table.columns):
        grid.add_column(column, justify="right" if table.numeric(number) else "left")
    for row in table.rows:
        grid.add_row(*row)
    return grid


if __name__ == "__main__":
    main()
