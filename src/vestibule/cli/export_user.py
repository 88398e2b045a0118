"""`vestibule users export`: everything stored about a person, as one JSON document."""

import asyncio

import typer

from vestibule.cli.accounts import Email, NoSuchAccount, account_of
from vestibule.cli.command_context import CommandContext
from vestibule.flows.data_as_json import data_as_json
from vestibule.flows.export_person import export_person
from vestibule.model.operator_errors import PersonUnknown
from vestibule.model.operators import COMMAND_LINE
from vestibule.process import streams


def export_user(context: typer.Context, email: Email) -> None:
    """Print everything stored about a person as one JSON document: the file that the owner can export.

    It has no password, no secret of a factor and no token. The export is an event that the owner sees.
    """
    streams.require_output()
    asyncio.run(_export(context.obj, email))


async def _export(command_context: CommandContext, email: str) -> None:
    async with command_context.opened() as env:
        account = await account_of(env, email)
        try:
            data = await export_person(env, COMMAND_LINE, account)
        except PersonUnknown:
            raise NoSuchAccount(f"the account with the email {email} was just deleted") from None
        async for part in data_as_json(data):
            print(part, end="")
