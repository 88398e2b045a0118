"""`vestibule users show`: one page about a person, first why they cannot sign in, or that nothing is in the way."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from vestibule.cli.accounts import AsJson, NoSuchAccount
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import print_json, results
from vestibule.cli.event_sentences import sentence
from vestibule.cli.people import account_for_programs, state_of
from vestibule.cli.reasons import command_of, sentence_of
from vestibule.cli.tables import minute
from vestibule.cli.unlock import pause_in_words
from vestibule.flows.find_people import find_account_of
from vestibule.flows.see_person import MOST_SHOWN, probably_meant, see_person
from vestibule.model.people import Person
from vestibule.model.reasons import ProbablyTypo, Reason
from vestibule.model.why_not_in import why_not_in

_MOST_OF_EACH = 5  # how many letters, live sessions and past sessions are shown

Who = Annotated[str, typer.Argument(help="The account's email or id.", metavar="EMAIL", show_default=False)]


def show_user(
    context: typer.Context,
    who: Who,
    as_json: AsJson = False,
) -> None:
    """Show a person: why they cannot sign in, the command that mends it, and what there is to know of the account."""
    person, reason = asyncio.run(_seen(context.obj, who))
    email = person.account.email if person else who
    if as_json:
        print_json(_for_programs(person, reason, email))
        return
    # A terminal wraps at words. In a pipe, a sentence stays on one line.
    results.print(
        f"[bold]{escape(f'{email} {sentence_of(reason)}')}[/]", highlight=False, soft_wrap=not results.is_terminal
    )
    if command := command_of(reason, email):
        results.print(f"Mend it: {escape(command)}", highlight=False, soft_wrap=not results.is_terminal)
    if person:
        results.print()
        results.print(_page(person))


async def _seen(command_context: CommandContext, who: str) -> tuple[Person | None, Reason]:
    """Return the person and why they cannot sign in. If there is no such account, return None and a `ProbablyTypo` with
    the account that was probably meant; raises `NoSuchAccount` if none is similar.
    """
    async with command_context.opened() as env:
        account = await find_account_of(env, who)
        person = await see_person(env, account.id) if account else None
        if person:
            return person, why_not_in(person, env.clock.now())
        if typo := await probably_meant(env, who):
            return None, typo
    raise NoSuchAccount(f"there is no account with the email or id {who}")


def _page(person: Person) -> Table:
    lines = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
    for name, value in _lines(person):
        lines.add_row(name, escape(value))
    return lines


def _lines(person: Person) -> Iterator[tuple[str, str]]:
    account = person.account
    yield "name", account.name
    yield "id", account.id
    yield "account", f"{account.role.value}, {state_of(account) or 'verified'}, created {minute(account.created_at)}"
    if account.roles:
        yield "roles", " ".join(account.roles)
    yield from _listed("factor", _factors(person))
    yield from _listed("paused", map(pause_in_words, person.factors.paused))
    yield from _listed("letter", _letters(person))
    yield from _listed("session", _sessions(person))
    yield from _listed("event", _events(person))


def _listed(name: str, values: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield a row for each value; only the first row has the name."""
    for number, value in enumerate(values):
        yield ("" if number else name), value


def _factors(person: Person) -> Iterator[str]:
    for factor in person.factors.factors:
        used = f"last used {minute(factor.last_used_at)}" if factor.last_used_at else "never used"
        yield " ".join(filter(None, (factor.kind.value, factor.name and f"“{factor.name}”", used)))
    if person.factors.needed:  # every sign-in asks for a second factor
        yield f"{person.factors.recovery_codes_left} recovery codes left"


def _letters(person: Person) -> Iterator[str]:
    for letter in person.letters[:_MOST_OF_EACH]:
        fault = f": {letter.fault}" if letter.fault else ""
        yield f"{minute(letter.at)} {letter.kind.value.replace('_', ' ')} {letter.fate.value}{fault}"


def _sessions(person: Person) -> Iterator[str]:
    # `live` has only the latest live sessions; `live_sessions` is the number of all.
    for session in person.live[:_MOST_OF_EACH]:
        from_where = f"from {session.device.network_address}" if session.actor_id is None else "by an operator"
        yield f"{minute(session.last_seen_at)} last used, {from_where}"
    if (more := person.live_sessions - _MOST_OF_EACH) > 0:
        yield f"and {more} more"
    for session in person.past[:_MOST_OF_EACH]:
        reason = session.end_reason.value.replace("_", " ") if session.end_reason else "expired"
        yield f"{minute(session.ended_at or session.last_seen_at)} ended: {reason}"


def _events(person: Person) -> Iterator[str]:
    for event in person.events[:MOST_SHOWN]:
        origin = f", from {event.network_address}" if event.network_address else ""
        yield f"{minute(event.at)} {sentence(event)}{origin}"


def _for_programs(person: Person | None, reason: Reason, email: str) -> dict[str, Any]:
    # `NeverVerified` becomes `never_verified`.
    kind = "".join(f"_{char.lower()}" if char.isupper() else char for char in type(reason).__name__)[1:]
    mend = command_of(reason, email) or None
    told = {"email": email, "reason": kind, "sentence": f"{email} {sentence_of(reason)}", "mend": mend}
    if isinstance(reason, ProbablyTypo):
        return told | {"probably": account_for_programs(reason.other)}
    if person is None:
        return told
    return told | {
        "account": account_for_programs(person.account),
        "factors": _plain(asdict(person.factors)),
        "letters": [_plain(asdict(letter)) for letter in person.letters],
        "live_sessions": person.live_sessions,
        "sessions": [_plain(asdict(session)) for session in (*person.live, *person.past)],
        "events": [_plain(asdict(event)) for event in person.events[:MOST_SHOWN]],
    }


def _plain(value: Any) -> Any:
    """Return a value with times as ISO 8601 and enums as their values."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
