"""`vestibule users invite`: create an account whose owner chooses the password by a mailed link."""

import asyncio
from typing import Annotated

import typer

from vestibule.cli.accounts import AsJson, Email, NoNewAccount, NotDone, tell, typed_email
from vestibule.cli.command_context import CommandContext
from vestibule.flows.invite import invite as invite_flow
from vestibule.model.accounts import Account
from vestibule.model.errors import EmailTaken
from vestibule.model.operator_errors import TooManyLinks
from vestibule.model.operators import COMMAND_LINE


def invite(
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option(metavar="NAME", help="The owner's name. Default: the email up to the @.")] = "",
    as_json: AsJson = False,
) -> None:
    """Invite somebody: mail a link that verifies the email and sets a password.

    The link works for seven days. Run the command again to mail another link.
    """
    account = asyncio.run(_invite(context.obj, typed_email(email), name))
    document = {"email": account.email, "id": account.id, "invited": True}
    tell(document, f"An invitation for {account.email} is in the outbox; a running server mails it.", as_json=as_json)


async def _invite(command_context: CommandContext, email: str, name: str) -> Account:
    """Create and invite an account, and return it; raises `NoNewAccount` and `NotDone`."""
    async with command_context.opened() as env:
        try:
            return await invite_flow(env, COMMAND_LINE, name or email.partition("@")[0], email)
        except EmailTaken:
            raise NoNewAccount(
                f"{email} is the email of an account that is verified or in use, or was until lately, and the owner "
                "may still take it back"
            ) from None
        except TooManyLinks:
            raise NotDone(f"{email} was mailed as many links today as one email may be mailed") from None
