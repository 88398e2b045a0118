"""`vestibule migrate`: bring the database schema up to date."""

import asyncio

import typer

from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes


def migrate(context: typer.Context) -> None:
    """Bring the database schema up to date.

    Safe to run at any time and on several machines at once: they wait for one another, and an interrupted run leaves
    the schema as it was.
    """
    command_context: CommandContext = context.obj
    before, after = asyncio.run(command_context.migrate())
    if before == after:
        notes.print(f"The schema is up to date ({after}).")
    else:
        notes.print(f"Migrated {f'from {before} ' if before else ''}to {after}.")
