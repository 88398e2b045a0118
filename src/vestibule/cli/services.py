"""`vestibule services`: let a service follow the feed and ask about tokens, or shut it out."""

import asyncio
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Column, Table

from vestibule import streams
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import fail, notes, results, show_once
from vestibule.cli.typed import Commands
from vestibule.flows.services import add_service, list_services, remove_service
from vestibule.model.service_keys import MAX_NAME, ServiceKey, is_service_name

Name = Annotated[str, typer.Argument(help="The service's name, such as `billing`.", metavar="NAME", show_default=False)]

services = Commands(
    no_args_is_help=True, help="Let a service of yours follow the feed and ask about tokens, or shut it out."
)


@services.command()
def add(context: typer.Context, name: Name) -> None:
    """Make a key for a service and print it. It is shown this once; only its digest is kept."""
    if not is_service_name(name):
        fail(f"{name!r} cannot name a service: use a-z, 0-9, and . _ - between them, {MAX_NAME} at the most")
        raise typer.Exit(2)
    streams.require_output()
    key = asyncio.run(_add(context.obj, name))
    if key is None:
        fail(f"the service {name} has a key already; remove it first, or choose another name")
        raise typer.Exit(1)
    show_once(key, f"{name} has a key now that nobody knows: vestibule services remove {name}, and add it again")
    notes.print(f"The key of {name}, shown this once. Hand it to the service as a secret.")


@services.command("list")
def list_all(context: typer.Context) -> None:
    """Show the services that have a key, and since when. Never the keys."""
    table = Table(Column("service", no_wrap=True), "since", box=SIMPLE)
    for key in asyncio.run(_list(context.obj)):
        table.add_row(escape(key.name), f"{key.created_at:%Y-%m-%d %H:%M} UTC")
    results.print(table)


@services.command()
def remove(context: typer.Context, name: Name) -> None:
    """Put a service's key out of force. What it follows ends within a minute."""
    if not asyncio.run(_remove(context.obj, name)):
        fail(f"no service {name} has a key; see vestibule services list")
        raise typer.Exit(1)
    notes.print(f"The key of {name} is not in force any more.")


async def _add(command_context: CommandContext, name: str) -> str | None:
    async with command_context.opened() as env:
        return await add_service(env, name)


async def _list(command_context: CommandContext) -> list[ServiceKey]:
    async with command_context.opened() as env:
        return await list_services(env)


async def _remove(command_context: CommandContext, name: str) -> bool:
    async with command_context.opened() as env:
        return await remove_service(env, name)
