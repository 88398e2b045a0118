"""`vestibule users set-role`: change what an account may do."""

import asyncio
from typing import Annotated

import typer

from vestibule.cli.accounts import AsJson, Email, tell, with_account
from vestibule.flows.env import Env
from vestibule.flows.set_role import set_role as set_role_flow
from vestibule.model.accounts import Account, Role
from vestibule.model.operators import Operator

_HELP = "`admin`: everything. `helper`: find people, send them emails, sign them out. `auditor`: read. `user`: nothing."


def set_role(
    context: typer.Context,
    email: Email,
    role: Annotated[Role, typer.Argument(help=_HELP, metavar="ROLE", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Change what an account may do, and end its sessions, so that no token with the role before lives on.

    The last admin keeps the role. An account that never verified its email gets none but `user`.
    """

    async def carry_out(env: Env, operator: Operator, account: Account) -> int | None:
        return await set_role_flow(env, operator, account, role)

    account, ended = asyncio.run(with_account(context.obj, email, carry_out))
    outcome = ", as it was" if ended is None else f", no longer {account.role.value}; ended sessions: {ended}"
    document = {"email": account.email, "role": role.value, "changed": ended is not None, "ended_sessions": ended or 0}
    tell(document, f"{account.email} has the role {role.value}{outcome}.", as_json=as_json)
