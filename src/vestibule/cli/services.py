"""`vestibule services`: create, list and revoke the keys of services."""

import asyncio
import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column

from vestibule.cli.accounts import AsJson, AsJsonLines, tell
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import fail, notes, results, show_once
from vestibule.cli.discreet_command import Commands
from vestibule.cli.tables import table
from vestibule.flows.service_keys import create_service_key, list_service_keys, revoke_service_key
from vestibule.model.service_keys import MAX_NAME, ServiceKey, is_service_name
from vestibule.process import streams
from vestibule.protocol.service_keys import hide_keys

Name = Annotated[str, typer.Argument(help="The service's name, such as `billing`.", metavar="NAME", show_default=False)]

services = Commands(
    no_args_is_help=True,
    help="Create, list and revoke the keys with which services ask for revocations and introspection.",
)


@services.command()
def create(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Create a key for a service and print it. The key is shown only once; the database keeps a digest of it."""
    if not is_service_name(name):
        rule = f"use a-z, 0-9, and . _ - between them, {MAX_NAME} at the most"
        fail(f"{hide_keys(repr(name))} cannot name a service: {rule}")
        raise typer.Exit(2)
    streams.require_output()
    key = asyncio.run(_create(context.obj, name))
    if key is None:
        fail(
            f"the service {name} has a key already; to replace it, create one under another name, such as {name}-2, "
            f"give that to the service, and then: vestibule services revoke {name}"
        )
        raise typer.Exit(1)
    if_lost = f"nobody has seen the new key of {name}: run vestibule services revoke {name}, then create it again"
    show_once(json.dumps({"service": name, "key": key}) if as_json else key, if_lost)
    if not as_json:
        notes.print(f"The key of {name}, shown only once. Give it to the service as a secret.")


@services.command("list")
def list_all(context: typer.Context, as_json: AsJsonLines = False) -> None:
    """List the services that have a key, and since when. Never shows a key."""
    found = asyncio.run(_list(context.obj))
    if as_json:
        for key in found:
            print(json.dumps({"service": key.name, "created_at": key.created_at.isoformat()}))
        return
    if not found:
        notes.print("No service has a key yet. Create one with: vestibule services create NAME")
        return
    lines = table(Column("service", overflow="fold"), "since (UTC)")
    for key in found:
        lines.add_row(escape(key.name), f"{key.created_at:%Y-%m-%d %H:%M}")
    results.print(lines)


@services.command()
def revoke(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Revoke a service's key. The service's stream of revocations ends within a minute."""
    if not asyncio.run(_revoke(context.obj, name)):
        fail(f"no service {hide_keys(name)} has a key; see vestibule services list")
        raise typer.Exit(1)
    said = f"The key of {name} is revoked. A service that still has it answers 503 within a minute."
    tell({"service": name, "revoked": True}, said, as_json=as_json)


async def _create(command_context: CommandContext, name: str) -> str | None:
    async with command_context.opened() as env:
        return await create_service_key(env, name)


async def _list(command_context: CommandContext) -> list[ServiceKey]:
    async with command_context.opened() as env:
        return await list_service_keys(env)


async def _revoke(command_context: CommandContext, name: str) -> bool:
    async with command_context.opened() as env:
        return await revoke_service_key(env, name)
