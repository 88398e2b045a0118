"""`vestibule users set-email`: give an account another email."""

import asyncio
from typing import Annotated

import typer

from vestibule.cli.accounts import AsJson, Email, tell, typed_email, with_account
from vestibule.flows.env import Env
from vestibule.flows.set_email import EmailOutcome
from vestibule.flows.set_email import set_email as set_email_flow
from vestibule.model.accounts import Account
from vestibule.model.operators import Operator

_NEW = typer.Argument(help="The email that the account gets.", metavar="NEW_EMAIL", show_default=False)
_SAID = {
    EmailOutcome.REPLACED: "{old} is {new} now; a link to verify that is in the outbox.",
    EmailOutcome.LINK_MAILED: "A link for {new} is in the outbox; {old} stays until its owner opens it, signed in.",
    EmailOutcome.UNCHANGED: "{old} has this email already.",
}


def set_email(context: typer.Context, email: Email, new: Annotated[str, _NEW], as_json: AsJson = False) -> None:
    """Give an account another email, by a link that is mailed there.

    The link counts where the owner is signed in, and the old email gets one that undoes the change. If nobody has used
    the account yet, its email is replaced at once, and the link verifies it.
    """
    wanted = typed_email(new)

    async def carry_out(env: Env, operator: Operator, account: Account) -> EmailOutcome:
        return await set_email_flow(env, operator, account, wanted)

    account, outcome = asyncio.run(with_account(context.obj, email, carry_out))
    document = {"email": account.email, "new_email": wanted, "outcome": outcome.value}
    tell(document, _SAID[outcome].format(old=account.email, new=wanted), as_json=as_json)
