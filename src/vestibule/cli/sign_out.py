"""`vestibule users sign-out`: end all sessions of an account, or one."""

import asyncio
from typing import Annotated

import typer

from vestibule.cli.accounts import AsJson, Email, tell, with_account
from vestibule.flows.administer import end_session_of, sign_out_everywhere
from vestibule.flows.env import Env
from vestibule.model.accounts import Account
from vestibule.model.operators import Operator


def sign_out(
    context: typer.Context,
    email: Email,
    session: Annotated[
        str,
        typer.Option("--session", metavar="ID", help="End this one alone: `users show --json` lists their ids."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """End all sessions of an account, everywhere within a second. The owner can sign in again."""

    async def carry_out(env: Env, operator: Operator, account: Account) -> int:
        if not session:
            return await sign_out_everywhere(env, operator, account)
        return int(await end_session_of(env, operator, account, session))

    account, ended = asyncio.run(with_account(context.obj, email, carry_out))
    document = {"email": account.email, "ended_sessions": ended}
    everywhere = "" if session else "is signed out everywhere; "
    tell(document, f"{account.email} {everywhere}ended sessions: {ended}.", as_json=as_json)
