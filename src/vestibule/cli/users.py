"""`vestibule users`: bring accounts in from elsewhere."""

import asyncio
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vestibule.cli.console import notes
from vestibule.cli.workshop import Workshop
from vestibule.flows.import_accounts import ImportReport, import_accounts

users = typer.Typer(no_args_is_help=True, help="Bring accounts in from elsewhere.")


@users.callback()
def _group() -> None:
    """Keep `import` a word of its own while it is the only command."""


@users.command("import")
def import_users(
    context: typer.Context,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", help="Database with the tutorial's `users` table. Default: DATABASE_URL.", metavar="URL"
        ),
    ] = None,
) -> None:
    """Import the tutorial server's own `users` table, so that nobody has to choose a new password.

    Ids, roles and password hashes are kept; a bcrypt hash is replaced at its owner's next sign-in. What is already
    here stays as it is, so running it again does no harm, and the old table is only read.
    """
    workshop: Workshop = context.obj
    report = asyncio.run(_import(workshop, source or workshop.settings.database_address))
    notes.print(f"Imported {report.imported:,} accounts; {report.already_there:,} were here already.")
    if report.refused:
        notes.print(f"[yellow]Left out {report.refused:,}[/] whose address is not one that Vestibule sends to.")


async def _import(workshop: Workshop, source: str) -> ImportReport:
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with workshop.opened() as env, workshop.legacy(source) as legacy:
        total = await legacy.count()
        with Progress(*columns, console=notes) as progress:
            task = progress.add_task("", total=total)
            return await import_accounts(env, legacy.batches(), lambda rows: progress.advance(task, rows))
