"""`vestibule copy-database`: copy everything from one database to another."""

import asyncio
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes

_COUNTED_BY_NAME = ("accounts", "sessions")


def copy_database(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="The database to copy from, such as sqlite:///vestibule-data/vestibule.sqlite3. Leave out a password, "
            "which others could read here: set PGPASSWORD or PGPASSFILE.",
            metavar="URL",
        ),
    ],
) -> None:
    """Copy everything from another database: accounts, sessions, keys, emails and events.

    For example from SQLite to PostgreSQL. Copies to the database of DATABASE_URL, which must be empty: run
    `vestibule migrate` on it, and start no server yet. First stop the servers on the old database: what they write
    later is not copied. Nobody is signed out. The old database is not changed; after an interruption the new one is
    still empty.
    """
    command_context: CommandContext = context.obj
    copied = asyncio.run(_copy(command_context, source))
    rest = sum(copied.values()) - sum(copied[name] for name in _COUNTED_BY_NAME)
    notes.print(f"Copied {copied['accounts']:,} accounts, {copied['sessions']:,} sessions and {rest:,} other rows.")
    if copied["signing_keys"]:
        notes.print(
            "Set VESTIBULE_SECRET_KEY on every server of the new database as on the old servers; if it was not set "
            "there, it is in the file secret.key of their VESTIBULE_DATA (vestibule-data by default)."
        )


async def _copy(command_context: CommandContext, source: str) -> dict[str, int]:
    columns = (TextColumn("Copying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with command_context.copying(source) as copy:
        total = await copy.count()
        with Progress(*columns, console=notes) as progress:
            task = progress.add_task("", total=total)
            return await copy.run(lambda rows: progress.advance(task, rows))
