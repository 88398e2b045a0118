"""`python -m measure.capacity`: fill a PostgreSQL database step by step, measure at each, and write docs/capacity.md.

`ACCOUNTS` is the last size; ten million by default. A run that stops earlier writes nothing, unless `--write` is given.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from measure.capacity.fill import BYTES_PER_ACCOUNT, fill
from measure.capacity.histories_page import kept
from measure.capacity.measure import Size, measure_size
from measure.capacity.page import page
from measure.capacity.people import People
from measure.capacity.plot import draw
from measure.machine import Machine
from measure.postgres import Postgres
from measure.server import ROOT
from vestibule.storage.sql import engine
from vestibule.storage.sql.migrate import migrate

_SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
# What an operator with such a database would set, and enough log and memory to fill it quickly. Every commit is on the
# disk, as PostgreSQL does by default.
_OPTIONS = {"shared_buffers": "2GB", "max_wal_size": "4GB", "maintenance_work_mem": "512MB"}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m measure.capacity", description="Measure Vestibule as it grows.")
    parser.add_argument("--write", action="store_true", help="write docs/capacity.md also after a smaller run")
    write = parser.parse_args().write
    most = int(os.environ.get("ACCOUNTS") or _SIZES[-1])
    if most < _SIZES[0]:
        sys.exit(f"ACCOUNTS is at least {_SIZES[0]:,}: fewer have not enough sessions to pick from.")
    sizes = sorted({size for size in _SIZES if size < most} | {most})
    _require_space(most)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_grown(sizes))
    text = page(Machine.this(), found)
    print(text)
    if write or most >= _SIZES[-1]:
        (ROOT / "docs" / "capacity.md").write_text(text + kept())
        draw(found, ROOT / "docs" / "capacity.png")


def _require_space(accounts: int) -> None:
    free, needed = shutil.disk_usage(tempfile.gettempdir()).free, 2 * accounts * BYTES_PER_ACCOUNT
    if free < needed:
        sys.exit(
            f"{accounts:,} accounts may take {needed / 1e9:.0f} GB in {tempfile.gettempdir()}, and {free / 1e9:.0f} GB "
            "are free. Make room, let TMPDIR name another folder, or: make capacity ACCOUNTS=1000000"
        )


async def _grown(sizes: list[int]) -> list[Size]:
    postgres, people, found = Postgres(), People(), list[Size]()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        await asyncio.to_thread(postgres.create, **_OPTIONS)
        await postgres.admin("CREATE DATABASE vestibule")
        engines = engine.connect(postgres.address())
        await migrate(engines)
        await engines.close()
        with Progress(*columns, console=Console(stderr=True)) as progress, tempfile.TemporaryDirectory() as folder:
            bar = progress.add_task("", total=sizes[-1])
            for size in sizes:
                progress.update(bar, description=f"Filling up to {size:,}")
                await fill(postgres.address(), people.accounts, size, lambda more: progress.advance(bar, more))
                progress.update(bar, description=f"Measuring at {size:,}")
                people.accounts = size
                found.append(await measure_size(postgres, people, Path(folder)))
    finally:
        postgres.remove()
    return found


if __name__ == "__main__":
    main()
