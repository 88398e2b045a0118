"""`vestibule users reset-factors`: remove the second factors of somebody who has lost them, after a day; or at once, if
one is a thief's.
"""

import asyncio
from typing import Annotated

import typer

from vestibule.cli.accounts import Email, account_of
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes, print_json
from vestibule.cli.factors import print_reset, reset_for_programs
from vestibule.cli.prompt import confirm
from vestibule.flows.keep_factors import cancel_reset
from vestibule.flows.reset_factors import begin_reset, reset_now
from vestibule.model.factor_resets import FactorReset, NoReset
from vestibule.model.operators import COMMAND_LINE
from vestibule.process.operator_errors import OperatorError
from vestibule.protocol.one_line import one_line

_WHY = {
    NoReset.NO_FACTOR: "has no second factor",
    NoReset.UNDER_WAY: "has a reset under way already: `vestibule users factors` shows until when; --cancel cancels it",
    NoReset.DISABLED: "is disabled, so its owner cannot be told: enable it first",
    NoReset.UNVERIFIED: "has never verified its email: Forgot password? on the sign-in page removes its factors",
}


class NothingToReset(OperatorError):
    """The account has no factors that can be reset."""


class CancelOrNow(OperatorError):
    """A reset is canceled, or carried out at once, but not both."""


class NothingToCancel(OperatorError):
    """No reset of the account's factors is under way."""


def reset_factors(
    context: typer.Context,
    email: Email,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the reset that is under way.")] = False,
    at_once: Annotated[bool, typer.Option("--now", help="Remove them at once: one of them is a thief's.")] = False,
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")] = False,
) -> None:
    """Remove the second factors of somebody who lost them all, 24 hours from now.

    Make sure first that it is the owner who asks. The owner is told by email at once, and can keep the factors with the
    link in it, on a device that is signed in, or by signing in with a factor. Then authenticator app, passkeys and
    recovery codes are removed, and every session ends.

    With --now all that happens at once, and no factor prevents it. Have the owner choose a new password first.
    """
    if cancel and at_once:
        raise CancelOrNow("--cancel and --now exclude each other")
    if cancel:
        _cancel(context.obj, email, as_json=as_json)
        return
    if not sure:
        confirm(f"Remove all second factors of {one_line(email)} {'now' if at_once else 'in 24 hours'}?")
    if at_once:
        _remove(context.obj, email, as_json=as_json)
        return
    told, reset = asyncio.run(_begin(context.obj, email))
    if as_json:
        print_json({"email": told, "reset": reset_for_programs(reset)})
    else:
        print_reset(told, reset)


async def _begin(command_context: CommandContext, email: str) -> tuple[str, FactorReset]:
    """Begin the reset; return the account's email with it. Raises `NothingToReset` and `NoSuchAccount`."""
    async with command_context.opened() as env:
        account = await account_of(env, email)
        outcome = await begin_reset(env, COMMAND_LINE, account)
    if isinstance(outcome, NoReset):
        raise NothingToReset(f"{account.email} {_WHY[outcome]}")
    return account.email, outcome


def _remove(command_context: CommandContext, email: str, *, as_json: bool) -> None:
    told = asyncio.run(_removed(command_context, email))
    if as_json:
        print_json({"email": told, "removed": True})
    else:
        notes.print(f"{told} has no second factor any more, and is signed out everywhere.", highlight=False)


async def _removed(command_context: CommandContext, email: str) -> str:
    """Remove the factors; return the account's email. Raises `NothingToReset` and `NoSuchAccount`."""
    async with command_context.opened() as env:
        account = await account_of(env, email)
        if (refused := await reset_now(env, COMMAND_LINE, account)) is not None:
            raise NothingToReset(f"{account.email} {_WHY[refused]}")
    return account.email


def _cancel(command_context: CommandContext, email: str, *, as_json: bool) -> None:
    told = asyncio.run(_canceled(command_context, email))
    if as_json:
        print_json({"email": told, "reset": None})
    else:
        notes.print(f"{told} keeps its second factors, and is told by email.", highlight=False)


async def _canceled(command_context: CommandContext, email: str) -> str:
    """Cancel the reset; return the account's email. Raises `NothingToCancel` and `NoSuchAccount`."""
    async with command_context.opened() as env:
        account = await account_of(env, email)
        if not await cancel_reset(env, COMMAND_LINE, account):
            raise NothingToCancel(f"no reset of the second factors of {account.email} is under way")
    return account.email
