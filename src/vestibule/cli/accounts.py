"""Find the account that a command is about, by the email that an operator types."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from vestibule.cli.command_context import CommandContext
from vestibule.flows.administer import find_account
from vestibule.flows.env import Env
from vestibule.model.accounts import Account, NotAnEmail, canonical_email
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.process.operator_errors import OperatorError

T = TypeVar("T")
Email = Annotated[str, typer.Argument(help="The account's email.", metavar="EMAIL", show_default=False)]


class NoSuchAccount(OperatorError):
    """No account has this email."""


async def account_of(env: Env, email: str) -> Account:
    """Return the account with an email, however that is spelled; raises `NoSuchAccount`."""
    try:
        account = await find_account(env, canonical_email(email))
    except NotAnEmail:
        account = None
    if account is None:
        raise NoSuchAccount(f"there is no account with the email {email}")
    return account


async def with_account(
    command_context: CommandContext, email: str, deed: Callable[[Env, Operator, Account], Awaitable[T]]
) -> tuple[Account, T]:
    """Return the account with an email, and what `deed` of the command line returns for it. Raises `NoSuchAccount`."""
    async with command_context.opened() as env:
        account = await account_of(env, email)
        return account, await deed(env, COMMAND_LINE, account)
