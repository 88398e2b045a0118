"""`vestibule roles`: list, create, change and delete the roles that operators make."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, TypeVar

import typer
from rich.markup import escape
from rich.table import Column

from vestibule.cli.accounts import AsJson, AsJsonLines, tell
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes, results
from vestibule.cli.discreet_command import Commands
from vestibule.cli.tables import table
from vestibule.flows.custom_roles import (
    create_custom_role,
    delete_custom_role,
    list_held_roles,
    set_role_permissions,
    take_from_everybody,
)
from vestibule.flows.env import Env
from vestibule.model.custom_roles import (
    MAX_PERMISSIONS,
    MAX_ROLES,
    MOST_COUNTED,
    CustomRole,
    NotAPermission,
    NotARole,
    role_name,
    role_permissions,
)
from vestibule.model.errors import Refusal
from vestibule.model.operator_errors import RoleInUse, RoleTaken, RoleUnknown, TooManyRoles
from vestibule.model.operators import COMMAND_LINE
from vestibule.process.operator_errors import OperatorError

T = TypeVar("T")
_WHY_NOT: dict[type[Refusal], str] = {
    RoleTaken: "there is a role {name} already; to change what it permits: vestibule roles set {name} PERMISSION…",
    RoleUnknown: "there is no role {name}; see vestibule roles list",
    RoleInUse: "accounts have the role {name}; to take it from all of them first, add --take-from-all",
    TooManyRoles: f"there are {MAX_ROLES} roles, as many as there can be; delete one first",
}


class RoleNotChanged(OperatorError):
    """The role cannot be changed like this. The message says why, and what to do first."""


def _name(text: str) -> str:
    try:
        return role_name(text)
    except NotARole as fault:
        raise typer.BadParameter(str(fault)) from None


def _permissions(texts: Collection[str]) -> list[str]:
    try:
        return list(role_permissions(texts))
    except NotAPermission as fault:
        raise typer.BadParameter(str(fault)) from None


Name = Annotated[
    str, typer.Argument(help="The role's name, such as `billing`.", metavar="NAME", show_default=False, callback=_name)
]
Permissions = Annotated[
    list[str] | None,
    typer.Argument(
        help=f"What it permits, such as `invoices:write`; at most {MAX_PERMISSIONS}.",
        metavar="PERMISSION",
        show_default=False,
        callback=lambda texts: _permissions(texts or ()),
    ),
]

roles = Commands(
    no_args_is_help=True,
    help="List, create, change and delete roles with permissions for your own services.",
)


@roles.command("list")
def list_all(
    context: typer.Context,
    as_json: AsJsonLines = False,
) -> None:
    """List the roles that were made here, what they permit, and how many accounts have them. Built-in roles are not
    among them.
    """
    found = asyncio.run(_with_env(context.obj, "", list_held_roles))
    for held in found if as_json else ():
        print(json.dumps({**_for_programs(held.role), "accounts": held.holders}))
    if not found:
        notes.print("No role was made here yet. Make one with: vestibule roles create NAME PERMISSION…", markup=False)
    elif not as_json:
        lines = table("role", "accounts", Column("permissions", overflow="fold"))
        for held in found:
            accounts = f"{held.holders:,}{'+' if held.holders >= MOST_COUNTED else ''}"
            lines.add_row(escape(held.role.name), accounts, escape(" ".join(held.role.permissions) or "none"))
        results.print(lines)


@roles.command()
def create(context: typer.Context, name: Name, permissions: Permissions = None, as_json: AsJson = False) -> None:
    """Create a role. Then give it to accounts: `vestibule users set-roles EMAIL NAME`."""
    role = asyncio.run(
        _with_env(context.obj, name, lambda env: create_custom_role(env, COMMAND_LINE, name, permissions or ()))
    )
    tell(_for_programs(role), f"The role {name} permits {_in_words(role.permissions)}.", as_json=as_json)


@roles.command("set")
def set_permissions(
    context: typer.Context, name: Name, permissions: Permissions = None, as_json: AsJson = False
) -> None:
    """Set what a role permits: these and no others. Services learn of it within seconds; no session ends."""
    wanted = permissions or []
    changed = asyncio.run(
        _with_env(context.obj, name, lambda env: set_role_permissions(env, COMMAND_LINE, name, wanted))
    )
    document = {"name": name, "permissions": wanted, "changed": changed}
    outcome = "now permits" if changed else "permits, as it did,"
    tell(document, f"The role {name} {outcome} {_in_words(wanted)}.", as_json=as_json)


@roles.command()
def delete(
    context: typer.Context,
    name: Name,
    take_from_all: Annotated[
        bool, typer.Option("--take-from-all", help="First take it from all accounts that have it, and sign them out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a role that no account has."""

    async def carry_out(env: Env) -> int:
        taken = 0
        while take_from_all and (batch := await take_from_everybody(env, COMMAND_LINE, name)):
            taken += batch
        await delete_custom_role(env, COMMAND_LINE, name)
        return taken

    taken = asyncio.run(_with_env(context.obj, name, carry_out))
    document = {"name": name, "deleted": True, "taken_from": taken}
    tell(document, f"The role {name} is deleted; accounts that had it: {taken}.", as_json=as_json)


async def _with_env(command_context: CommandContext, name: str, action: Callable[[Env], Awaitable[T]]) -> T:
    """Return what `action` returns; raises `RoleNotChanged` if it refuses."""
    async with command_context.opened() as env:
        try:
            return await action(env)
        except tuple(_WHY_NOT) as refusal:
            raise RoleNotChanged(_WHY_NOT[type(refusal)].format(name=name)) from None


def _in_words(permissions: Collection[str]) -> str:
    return ", ".join(permissions) or "nothing"


def _for_programs(role: CustomRole) -> dict[str, object]:
    return {
        "name": role.name,
        "permissions": list(role.permissions),
        "created_at": role.created_at.isoformat(),
        "changed_at": role.changed_at.isoformat(),
    }
