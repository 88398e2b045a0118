"""Lay out lists for 80 columns: a table with one line for each thing, or every detail of each (`--long`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from vestibule.cli.console import results

Long = Annotated[bool, typer.Option("--long", help="Show every detail, each on a line of its own.")]


def table(*columns: str | Column, header: bool = True) -> Table:
    """Return an empty table, two spaces between its columns. A column given by its name alone is never shortened."""
    fixed = (Column(each, no_wrap=True) if isinstance(each, str) else each for each in columns)
    return Table(*fixed, box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=header)


def shortened(name: str) -> Column:
    """Return a column that ends in `…` where the terminal is too narrow; `--long` shows the whole."""
    return Column(name, overflow="ellipsis")


def print_records(records: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    """Print each record as a line with its heading, followed by a line for each detail that is not empty."""
    for heading, details in records:
        results.print(f"[bold]{escape(heading)}[/]", highlight=False)
        lines = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
        for name, value in details.items():
            if value:
                lines.add_row(f"  {escape(name)}", escape(value))
        results.print(lines)


def minute(moment: datetime) -> str:
    """Return a moment as people read it: in UTC, without seconds."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
