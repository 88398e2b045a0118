"""`vestibule users list`: find accounts by email, name or id."""

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from vestibule.cli.accounts import AsJsonLines
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes, results
from vestibule.cli.people import account_for_programs, state_of
from vestibule.cli.tables import shortened, table
from vestibule.flows.find_people import PEOPLE_AT_ONCE, find_people
from vestibule.flows.see_person import probably_meant
from vestibule.model.account_search import Position
from vestibule.model.accounts import Account
from vestibule.protocol.one_line import quoted


def list_users(
    context: typer.Context,
    search: Annotated[
        str, typer.Option("--search", metavar="TEXT", help="How the email or the name begins, or a whole id.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="NUMBER", help="Show at most this many.", min=1, max=100_000)
    ] = PEOPLE_AT_ONCE,
    as_json: AsJsonLines = False,
) -> None:
    """List accounts, ordered by email: all, or those that `--search` finds."""
    found, more, meant = asyncio.run(_found(context.obj, search, limit))
    if as_json:
        for account in found:
            print(json.dumps(account_for_programs(account)))
    elif found:
        _print_table(found)
    if not found:
        notes.print(_nobody(search, meant), markup=False, highlight=False)
    elif more:
        notes.print("There are more: type more of the email or name, or raise --limit.", highlight=False)


async def _found(
    command_context: CommandContext, search: str, limit: int
) -> tuple[list[Account], bool, Account | None]:
    """Return up to `limit` accounts, whether there are more, and if there are none, the one that was probably meant."""
    found: list[Account] = []
    start: Position | None = None
    async with command_context.opened() as env:
        # Find one account more than is shown. That `page.next` is set does not prove that there are more: the next page
        # may be empty.
        while len(found) <= limit:
            page = await find_people(env, search, start, limit + 1 - len(found))  # at most `PEOPLE_AT_ONCE`
            found += page.accounts
            start = page.next
            if start is None:
                break
        typo = None if found else await probably_meant(env, search)
    return found[:limit], len(found) > limit, typo.other if typo else None


def _print_table(accounts: Sequence[Account]) -> None:
    lines = table(shortened("email"), shortened("name"), "role", "state", "created (UTC)")
    for account in accounts:
        created = f"{account.created_at:%Y-%m-%d}"
        lines.add_row(*map(escape, (account.email, account.name)), account.role.value, state_of(account), created)
    results.print(lines)


def _nobody(search: str, meant: Account | None) -> str:
    if not search.strip():
        return "There is no account yet. Make one with: vestibule users create EMAIL"
    if meant is not None:
        return f"Nobody has that email. {meant.email} is almost the same, and was never verified: probably a typo."
    return f"No email and no name begins with {quoted(search)}, and it is no account's id."
