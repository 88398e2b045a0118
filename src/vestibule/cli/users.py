"""`vestibule users`: find, create, invite, import, export, change, sign out, disable, unlock and delete accounts."""

import asyncio
import json
from typing import Annotated

import typer

from vestibule.cli.accounts import AsJson, Email, NoNewAccount, tell, typed_email, with_account
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes, show_once
from vestibule.cli.discreet_command import Commands
from vestibule.cli.export_user import export_user
from vestibule.cli.factors import print_factors, print_factors_as_json
from vestibule.cli.import_users import import_users
from vestibule.cli.invite import invite
from vestibule.cli.list_users import list_users
from vestibule.cli.mend_users import send_reset, send_verification, verify
from vestibule.cli.prompt import confirm
from vestibule.cli.reset_factors import reset_factors
from vestibule.cli.set_custom_roles import set_roles
from vestibule.cli.set_email import set_email
from vestibule.cli.set_role import set_role
from vestibule.cli.show_user import show_user
from vestibule.cli.sign_out import sign_out
from vestibule.cli.unlock import unlock
from vestibule.flows.account_factors import factors_of_account
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.create_account import create_account
from vestibule.flows.delete_account import delete_account
from vestibule.flows.env import Env
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import MAX_REASON_CHARACTERS, Account, Role
from vestibule.model.errors import EmailTaken
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.model.people import FactorList
from vestibule.process import streams
from vestibule.protocol.one_line import is_one_line, one_line

_HELP = (
    "Find, create, invite, import, export, sign out, disable, enable, unlock and delete accounts; change their email "
    "and roles; show and reset their second factors."
)

users = Commands(no_args_is_help=True, help=_HELP)
users.command("list")(list_users)
users.command("show")(show_user)
users.command()(invite)
users.command()(verify)
users.command("send-verification")(send_verification)
users.command("send-reset")(send_reset)
users.command("set-email")(set_email)
users.command("set-role")(set_role)
users.command("set-roles")(set_roles)
users.command("sign-out")(sign_out)
users.command()(unlock)
users.command("reset-factors")(reset_factors)
users.command("export")(export_user)
users.command("import")(import_users)


@users.command()
def create(
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option(metavar="NAME", help="The owner's name. Default: the email up to the @.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="Give it the role `admin`.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create an account with a verified email, and show its password once. No account exists by default."""
    streams.require_output()
    account, password = asyncio.run(_create(context.obj, email, name, Role.ADMIN if admin else Role.USER))
    if_lost = f"{account.email} has an account now; set another password by Forgot password? on the sign-in page"
    if as_json:
        document = {"email": account.email, "id": account.id, "role": account.role.value, "password": password}
        show_once(json.dumps(document), if_lost)
    else:
        notes.print(f"{account.email} has an account with the role {account.role.value}; its password, shown only now:")
        show_once(password, if_lost)


def _reason(text: str | None) -> str | None:
    """Return why an account is disabled, as it is stored; None for an empty text. Raises `typer.BadParameter`."""
    reason = (text or "").strip()
    if len(reason) > MAX_REASON_CHARACTERS:
        raise typer.BadParameter(f"it has {len(reason):,} characters, and at most {MAX_REASON_CHARACTERS} are kept")
    if not is_one_line(reason):
        raise typer.BadParameter("it has a control character, such as a line break, or one that turns the direction")
    return reason or None


@users.command()
def disable(
    context: typer.Context,
    email: Email,
    reason: Annotated[
        str | None,
        typer.Option("--reason", callback=_reason, metavar="TEXT", help="Why. Kept for other operators."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Disable an account: block sign-in until it is enabled, and end its sessions, everywhere within a second."""

    async def carry_out(env: Env, operator: Operator, account: Account) -> int | None:
        return await disable_account(env, operator, account, reason)

    account, ended = asyncio.run(with_account(context.obj, email, carry_out))
    outcome = ", as it was" if ended is None else f"; ended sessions: {ended}"
    document = {"email": account.email, "disabled": True, "changed": ended is not None, "ended_sessions": ended or 0}
    tell(document, f"{account.email} is disabled{outcome}.", as_json=as_json)


@users.command()
def enable(context: typer.Context, email: Email, as_json: AsJson = False) -> None:
    """Enable a disabled account. The owner signs in as before."""
    account, enabled = asyncio.run(with_account(context.obj, email, enable_account))
    document = {"email": account.email, "disabled": False, "changed": enabled}
    tell(document, f"{account.email} is enabled{'' if enabled else ', as it was'}.", as_json=as_json)


@users.command()
def factors(
    context: typer.Context,
    email: Email,
    as_json: AsJson = False,
) -> None:
    """Show the second factors of an account, when each was last used, and how many recovery codes are left."""
    account, listed = asyncio.run(with_account(context.obj, email, _listed_factors))
    if as_json:
        print_factors_as_json(listed)
    else:
        print_factors(account.email, listed)


@users.command()
def delete(
    context: typer.Context,
    email: Email,
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete an account and all data about its owner. This cannot be undone."""
    if not sure:
        confirm(f"Delete {one_line(email)} for good?")
    account, ended = asyncio.run(with_account(context.obj, email, delete_account))
    document = {"email": account.email, "deleted": True, "ended_sessions": ended}
    tell(document, f"{account.email} is deleted; ended sessions: {ended}.", as_json=as_json)


async def _listed_factors(env: Env, _: Operator, account: Account) -> FactorList:
    return await factors_of_account(env, account)


async def _create(command_context: CommandContext, email: str, name: str, role: Role) -> tuple[Account, str]:
    """Create an account; return it and its password. Raises `NoNewAccount`."""
    async with command_context.opened() as env:
        canonical = typed_email(email)
        try:
            return await create_account(env, COMMAND_LINE, name or canonical.partition("@")[0], canonical, role)
        except EmailTaken:
            raise NoNewAccount(await _why_not_free(env, canonical, email)) from None


async def _why_not_free(env: Env, canonical: str, as_typed: str) -> str:
    """Return why no account can be created with this email."""
    if await find_account(env, canonical) is not None:
        return f"there is an account with the email {as_typed} already"
    return (
        f"an account changed its email from {as_typed} within the last three days, and its owner may still undo that; "
        "create this account later"
    )
