"""`vestibule users set-roles`: set the roles that operators made, for an account."""

import asyncio
from collections.abc import Collection
from typing import Annotated

import typer

from vestibule.cli.accounts import AsJson, Email, NotDone, tell, with_account
from vestibule.flows.env import Env
from vestibule.flows.set_custom_roles import set_custom_roles
from vestibule.model.accounts import Account
from vestibule.model.custom_roles import MAX_ROLES_OF_ACCOUNT, BuiltInRole, NotARole, role_name, roles_in_order
from vestibule.model.operator_errors import RoleUnknown
from vestibule.model.operators import Operator


def _names(texts: Collection[str] | None) -> list[str]:
    try:
        names = roles_in_order(map(role_name, texts or ()))
    except NotARole as fault:
        hint = "; give it with vestibule users set-role" if isinstance(fault, BuiltInRole) else ""
        raise typer.BadParameter(f"{fault}{hint}") from None
    if len(names) > MAX_ROLES_OF_ACCOUNT:
        raise typer.BadParameter(f"an account can have {MAX_ROLES_OF_ACCOUNT}, not {len(names)}")
    return list(names)


def set_roles(
    context: typer.Context,
    email: Email,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Roles of `vestibule roles list`, at most {MAX_ROLES_OF_ACCOUNT}. Without any, all are taken away.",
            metavar="ROLE",
            show_default=False,
            callback=_names,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set the roles of an account beside its built-in one: these and no others. Ends its sessions."""
    wanted = names or []

    async def carry_out(env: Env, operator: Operator, account: Account) -> int | None:
        try:
            return await set_custom_roles(env, operator, account, wanted)
        except RoleUnknown as refusal:
            hint = f"make it first: vestibule roles create {refusal.name} PERMISSION…"
            raise NotDone(f"there is no role {refusal.name}; {hint}") from None

    account, ended = asyncio.run(with_account(context.obj, email, carry_out))
    outcome = ", as it was" if ended is None else f"; ended sessions: {ended}"
    document = {"email": account.email, "roles": wanted, "changed": ended is not None, "ended_sessions": ended or 0}
    has = f"has the roles {', '.join(wanted)}" if wanted else "has no role beside its built-in one"
    tell(document, f"{account.email} {has}{outcome}.", as_json=as_json)
