"""`vestibule events`: show what happened to accounts: sign-ins, refusals and changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

import typer

from vestibule.cli.accounts import AsJsonLines, account_of
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes
from vestibule.cli.print_events import Emails, print_as_json, print_in_full, print_table
from vestibule.cli.tables import Long
from vestibule.flows.env import Env
from vestibule.flows.follow_events import EventFollower
from vestibule.flows.watch_events import emails_in, find_events
from vestibule.model.events import Event, EventFilter, EventKind
from vestibule.model.limits import canonical_address
from vestibule.settings.types import shown

_KIND_HELP = f"Show only this kind; may be repeated. Kinds: {', '.join(kind.value for kind in EventKind)}."
_POLL_SECONDS = 1.0
_MOST_HOURS = 1_000_000  # a century; a much larger number would go back beyond the year 1


def _one_address(typed: str | None) -> str | None:
    """Return the address in the form that events store; `/32` or `/128` may follow it. Raises `typer.BadParameter`."""
    if typed is None:
        return None
    address, slash, bits = typed.strip().partition("/")
    canonical = canonical_address(address)
    if not canonical or (slash and bits != ("128" if ":" in address else "32")):
        raise typer.BadParameter(
            f"{shown(typed)} is not one network address, such as 192.0.2.7 or 2001:db8::7; for whole networks, use "
            "--json and filter the output"
        )
    return canonical


def _positive_hours(hours: float | None) -> float | None:
    if hours is not None and not 0 < hours <= _MOST_HOURS:  # refuses NaN too
        raise typer.BadParameter(f"{hours} is not more than 0 and at most {_MOST_HOURS:,}")
    return hours


def events(
    context: typer.Context,
    of: Annotated[
        str | None, typer.Option("--of", metavar="EMAIL", help="Show only the account with this email.")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            callback=_one_address, metavar="ADDRESS", help="Show only this network address, such as 192.0.2.7."
        ),
    ] = None,
    kind: Annotated[list[EventKind] | None, typer.Option(metavar="KIND", help=_KIND_HELP)] = None,
    hours: Annotated[
        float | None,
        typer.Option(callback=_positive_hours, metavar="HOURS", help="Show only the last hours, such as 24 or 0.5."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="NUMBER", help="Show at most this many.", min=1, max=100_000)
    ] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep running; show events as they happen.")] = False,
    long: Long = False,
    as_json: AsJsonLines = False,
) -> None:
    """Show events: sign-ins, refusals and changes, the newest last. Shows no secrets."""
    wanted = EventFilter(network_address=network, kinds=tuple(kind or ()))
    since = timedelta(hours=hours) if hours is not None else None
    print_events = print_as_json if as_json else print_in_full if long else print_table
    asyncio.run(_show(context.obj, _Query(wanted, of, since, limit, follow), print_events))


@dataclass(frozen=True)
class _Query:
    """The options of the command. `wanted` still lacks the account of `email` and the moment that is `since` ago."""

    wanted: EventFilter
    email: str | None
    since: timedelta | None
    limit: int
    follow: bool


async def _show(
    command_context: CommandContext, query: _Query, print_events: Callable[[Sequence[Event], Emails], None]
) -> None:
    async with command_context.opened() as env:
        account_id = (await account_of(env, query.email)).id if query.email is not None else None
        since = env.clock.now() - query.since if query.since is not None else None
        wanted = replace(query.wanted, account_id=account_id, since=since)
        batches = _followed(env, wanted, query.limit) if query.follow else _found(env, wanted, query.limit)
        async for batch in batches:
            if batch:
                print_events(batch, await emails_in(env, batch))
            else:
                notes.print(_nothing(query))


async def _found(env: Env, wanted: EventFilter, most: int) -> AsyncIterator[Sequence[Event]]:
    yield [event for _, event in await find_events(env, wanted, most)]


async def _followed(env: Env, wanted: EventFilter, most: int) -> AsyncIterator[Sequence[Event]]:
    """Yield up to `most` of the newest events, maybe none, and then each as it happens, however many there are."""
    follower = EventFollower(env, wanted)
    yield await follower.latest(most)
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        async for events in follower.fresh():
            yield events


def _nothing(query: _Query) -> str:
    """Return what to say, and what to do next, if there is nothing to show."""
    if query.follow:
        return "No event yet; each is shown as it happens. Ctrl-C ends this."
    if query.email is not None or query.since or query.wanted != EventFilter():
        return "No event matches; leave out an option to see more."
    return "No event yet. Sign-ups and sign-ins at a running server (vestibule serve) appear here."
