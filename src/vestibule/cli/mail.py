"""`vestibule mail`: show the outbox, retry letters, and test the mail server."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from babel.dates import format_timedelta
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vestibule.cli.accounts import AsJson, AsJsonLines, tell
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes, print_json, results
from vestibule.cli.discreet_command import Commands
from vestibule.cli.print_letters import print_letters
from vestibule.cli.tables import Long, print_records, shortened, table
from vestibule.cli.usage import WrongUsage
from vestibule.flows.look_after_mail import Outbox, read_outbox, retry_letters, send_test_letter
from vestibule.model.accounts import NotAnEmail, canonical_email
from vestibule.model.languages import Language
from vestibule.model.letters import NotSent
from vestibule.model.outbox import LetterState
from vestibule.process.operator_errors import OperatorError
from vestibule.settings.fields import Settings

_ID_CHARACTERS = 8  # of an id, shown in the table
_MOST_LETTERS = 100_000  # the oldest in the outbox, among which `mail retry` looks for ids
_NOTHING_FAILED = "No email has failed, so there is none to retry. See what waits with: vestibule mail list"
_NONE_OF_THESE = "Nothing to retry: these emails wait for their first attempt, or are being sent now."


class NoSuchLetter(OperatorError):
    """No letter in the outbox has such an id."""


class NotAccepted(OperatorError):
    """The mail server did not accept the letter. The message says what it answered, and which settings to check."""


mail = Commands(no_args_is_help=True, help="Show the outbox, retry emails, and test the mail server.")


@mail.command("list")
def list_letters(
    context: typer.Context,
    limit: Annotated[
        int, typer.Option("--limit", metavar="NUMBER", help="Show at most this many.", min=1, max=10_000)
    ] = 50,
    long: Long = False,
    as_json: AsJsonLines = False,
) -> None:
    """List the emails that wait or were refused, the oldest first. `--long` shows why each was not sent."""
    outbox, now = asyncio.run(_outbox_and_time(context.obj, limit))
    if as_json:
        print_letters(outbox.letters)
        return
    if long:
        print_records([(f"{state.letter.id}  {_kind(state)}", _details(state, now)) for state in outbox.letters])
    elif outbox.letters:
        results.print(_table(outbox, now))
    notes.print(_summary(outbox, now))


@mail.command()
def retry(
    context: typer.Context,
    letters: Annotated[
        list[str] | None,
        typer.Argument(
            help="Ids of emails, as in `vestibule mail list`, or their first characters, which may fit several. "
            "Default: all that failed.",
            metavar="ID",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Retry emails now, also those that were refused for good. A running server sends them within a second."""
    count = asyncio.run(_retry(context.obj, letters))
    nothing = _NONE_OF_THESE if letters else _NOTHING_FAILED
    tell({"retried": count}, f"Emails to be retried: {count:,}." if count else nothing, as_json=as_json)


@mail.command("test")
def send_one(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Where to send it.", metavar="EMAIL", show_default=False)],
    language: Annotated[
        Language | None, typer.Option(help="Language, instead of VESTIBULE_LANGUAGE.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send a test email now, without the outbox, and show what the mail server answered.

    The test email looks like all others: your sender, product, logo and templates, and a link to where mailed links
    lead.
    """
    command_context: CommandContext = context.obj
    try:
        to = canonical_email(email)
    except NotAnEmail:
        raise WrongUsage(f"EMAIL: {email!r} is not an email that Vestibule sends to") from None
    notes.print(f"Handing an email for {to} to {_destination(command_context.settings)} …")
    answer = asyncio.run(_send(command_context, to, language))
    if as_json:
        print_json({"email": to, "by": _destination(command_context.settings), "answer": answer})
    elif command_context.settings.email_host:
        notes.print(f"[green]Accepted.[/] The server said: {escape(answer)}")
    else:
        notes.print(f"There is no EMAIL_HOST, so nothing is sent: the email is the file {escape(answer)}")


async def _outbox_and_time(command_context: CommandContext, limit: int) -> tuple[Outbox, datetime]:
    async with command_context.opened() as env:
        return await read_outbox(env, limit), env.clock.now()


async def _retry(command_context: CommandContext, prefixes: list[str] | None) -> int:
    async with command_context.opened() as env:
        if not prefixes:
            return await retry_letters(env, None)
        letter_ids = [state.letter.id for state in (await read_outbox(env, _MOST_LETTERS)).letters]
        for prefix in prefixes:
            if not any(letter_id.startswith(prefix) for letter_id in letter_ids):
                raise NoSuchLetter(f"no email in the outbox has an id that begins with {prefix}")
        chosen = [letter_id for letter_id in letter_ids if letter_id.startswith(tuple(prefixes))]
        return await retry_letters(env, chosen)


async def _send(command_context: CommandContext, email: str, language: str | None) -> str:
    async with command_context.opened() as env:
        try:
            return await send_test_letter(env, email, language)
        except NotSent as fault:
            raise NotAccepted(f"the email was not accepted: {fault}\n{_WHAT_TO_CHECK}") from None


_WHAT_TO_CHECK = (
    "check EMAIL_HOST, EMAIL_PORT, EMAIL_USER, EMAIL_PASS, VESTIBULE_EMAIL_SECURITY and VESTIBULE_EMAIL_FROM; "
    "docs/mail.md says what they mean"
)


def _destination(settings: Settings) -> str:
    return f"{settings.email_host}:{settings.email_port}" if settings.email_host else str(settings.data / "mail")


def _table(outbox: Outbox, now: datetime) -> Table:
    lines = table("id", "kind", shortened("to"), "queued", "status")
    for state in outbox.letters:
        letter, queued = state.letter, f"{_period(state.letter.created_at, now)} ago"
        short_id, to = escape(letter.id[:_ID_CHARACTERS]), escape(letter.email or "?")
        lines.add_row(short_id, _kind(state), to, queued, _status(state, now))
    return lines


def _details(state: LetterState, now: datetime) -> dict[str, str]:
    letter = state.letter
    return {
        "to": letter.email or "?",
        "queued": f"{letter.created_at:%Y-%m-%d %H:%M:%S} UTC, {_period(letter.created_at, now)} ago",
        "attempts": str(letter.attempts),
        "status": Text.from_markup(_status(state, now)).plain,
        "last error": state.last_fault or "",
    }


def _kind(state: LetterState) -> str:
    return state.letter.kind.value.replace("_", " ")


def _status(state: LetterState, now: datetime) -> str:
    if state.refused_at is not None:
        return "[red]refused[/]"
    if state.due_at <= now:
        return "due"
    # The server that sends a letter first claims it for some time, and sets `due_at` to the end of that time. So a
    # letter that is due later, and has not failed, is being sent.
    if state.last_fault is None:
        return "being sent"
    return f"again in {_period(now, state.due_at)}"


def _summary(outbox: Outbox, now: datetime) -> str:
    counts = outbox.counts
    if not counts.waiting and not counts.refused:
        return "The outbox is empty. Try the mail server with: vestibule mail test EMAIL"
    oldest = f", the oldest for {_period(counts.oldest, now)}" if counts.oldest else ""
    return f"Waiting: {counts.waiting:,}{oldest}. Refused for good: {counts.refused:,}."


def _period(since: datetime, until: datetime) -> str:
    """Return a period in words, such as `5 min`."""
    return format_timedelta(until - since, format="short", locale="en")
