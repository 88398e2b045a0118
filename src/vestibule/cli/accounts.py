"""Find the account that a command is about, by the email that an operator types."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar

import typer

from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes, print_json
from vestibule.flows.env import Env
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account, NotAnEmail, canonical_email
from vestibule.model.errors import EmailTaken, Refusal
from vestibule.model.operator_errors import AccountDisabled, LastAdmin, RoleNeedsVerifiedEmail, TooManyLinks
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.process.operator_errors import OperatorError

T = TypeVar("T")
Email = Annotated[str, typer.Argument(help="The account's email.", metavar="EMAIL", show_default=False)]


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print a line of JSON for each, for programs.")]
_WHY_NOT: dict[type[Refusal], str] = {
    LastAdmin: "is the last admin; make another one first: vestibule users set-role EMAIL admin",
    AccountDisabled: "is disabled: enable it first",
    TooManyLinks: "gets no link: that mailbox was mailed as many today as it may get in a day",
    EmailTaken: "keeps its email: another account has the new one, or may still take it back",
    RoleNeedsVerifiedEmail: "never verified its email; do that first: vestibule users verify",
}


class NotDone(OperatorError):
    """The account cannot be changed like this. The message says why, and what to do first."""


class NoSuchAccount(OperatorError):
    """No account has this email."""


class NoNewAccount(OperatorError):
    """No account can have this email, or another has it already."""


def typed_email(text: str) -> str:
    """Return the canonical form of an email that an account is to have; raises `NoNewAccount`."""
    try:
        return canonical_email(text)
    except NotAnEmail:
        raise NoNewAccount(f"{text} is not an email such as ada@example.com") from None


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
    command_context: CommandContext, email: str, action: Callable[[Env, Operator, Account], Awaitable[T]]
) -> tuple[Account, T]:
    """Return the account with an email, and what `action` returns for it; the command line is the operator. Raises
    `NoSuchAccount`, and `NotDone` if `action` refuses.
    """
    async with command_context.opened() as env:
        account = await account_of(env, email)
        try:
            return account, await action(env, COMMAND_LINE, account)
        except tuple(_WHY_NOT) as refusal:
            raise NotDone(f"{account.email} {_WHY_NOT[type(refusal)]}") from None


def tell(document: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print what was done: a document for programs, or a sentence for people."""
    if as_json:
        print_json(document)
    else:
        notes.print(sentence, markup=False, highlight=False)
