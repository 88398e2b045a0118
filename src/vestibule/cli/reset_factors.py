"""`vestibule users reset-factors`: remove the second factors of somebody who has lost them, after a day; or at once, if
one is a thief's.
"""

import asyncio
from typing import Annotated

import typer

from vestibule.cli.accounts import AsJson, Email, tell, with_account
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import print_json
from vestibule.cli.factors import print_reset, reset_for_programs
from vestibule.cli.prompt import confirm
from vestibule.flows.cancel_factor_reset import cancel_reset
from vestibule.flows.reset_factors import begin_reset, reset_now
from vestibule.model.factor_resets import NoReset
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
    as_json: AsJson = False,
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
    _begin(context.obj, email, as_json=as_json)


def _begin(command_context: CommandContext, email: str, *, as_json: bool) -> None:
    account, outcome = asyncio.run(with_account(command_context, email, begin_reset))
    if isinstance(outcome, NoReset):
        raise NothingToReset(f"{account.email} {_WHY[outcome]}")
    if as_json:
        print_json({"email": account.email, "reset": reset_for_programs(outcome)})
    else:
        print_reset(account.email, outcome)


def _remove(command_context: CommandContext, email: str, *, as_json: bool) -> None:
    account, refused = asyncio.run(with_account(command_context, email, reset_now))
    if refused is not None:
        raise NothingToReset(f"{account.email} {_WHY[refused]}")
    document = {"email": account.email, "removed": True}
    tell(document, f"{account.email} has no second factor any more, and is signed out everywhere.", as_json=as_json)


def _cancel(command_context: CommandContext, email: str, *, as_json: bool) -> None:
    account, canceled = asyncio.run(with_account(command_context, email, cancel_reset))
    if not canceled:
        raise NothingToCancel(f"no reset of the second factors of {account.email} is under way")
    document = {"email": account.email, "reset": None}
    tell(document, f"{account.email} keeps its second factors, and is told by email.", as_json=as_json)
