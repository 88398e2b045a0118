"""`vestibule login`, `whoami`, `token` and `logout`: a person's own session, at this server or at any other."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.table import Table

from vestibule.cli.console import fail, notes, results
from vestibule.cli.workshop import Workshop
from vestibule.client import InFile, NotReached, Session, SignedOut

_WRONG_URL, _NOT_DONE = 2, 1
_SHOWN = ("name", "email", "role", "id")

Url = Annotated[
    str | None, typer.Option("--url", help="The Vestibule to ask. Unset: VESTIBULE_URL, or localhost with PORT.")
]


def login(
    context: typer.Context,
    email: Annotated[str | None, typer.Argument(help="Address of the account; asked for if it is not given.")] = None,
    url: Url = None,
) -> None:
    """Sign in. The tokens are kept in a file that only you can read, and renewed when it is time.

    The password is asked for; a script gives it as a line on the standard input.
    """
    with _session(context, url) as session:
        session.sign_in(email or _asked("Email address"), _password())
        notes.print(f"Signed in as {session.me()['email']}.", markup=False)


def whoami(
    context: typer.Context, url: Url = None, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Show who is signed in here, as the server knows them now."""
    with _session(context, url) as session:
        user = session.me()
    if as_json:
        results.print(json.dumps(user, ensure_ascii=False, indent=2), markup=False, highlight=False)
        return
    table = Table.grid(padding=(0, 2))
    for member in _SHOWN:
        table.add_row(member, str(user[member]))
    results.print(table, markup=False)


def token(context: typer.Context, url: Url = None) -> None:
    """Print an access token that is good for a while, as `curl -H "Authorization: Bearer $(vestibule token)"` needs."""
    with _session(context, url) as session:
        print(session.fresh().access)


def logout(context: typer.Context, url: Url = None) -> None:
    """Sign out: the session ends at the server, and is forgotten here."""
    with _session(context, url) as session:
        session.sign_out()
    notes.print("Signed out.")


@contextmanager
def _session(context: typer.Context, url: str | None) -> Iterator[Session]:
    """The session kept for that server; what goes wrong with it ends the command with its reason."""
    workshop: Workshop = context.obj
    address = url or workshop.settings.own_base
    try:
        session = Session(address, InFile(_kept_for(address)))
    except ValueError as wrong:
        fail(f"--url: {wrong}")
        raise typer.Exit(_WRONG_URL) from None
    try:
        yield session
    except SignedOut as refusal:
        hint = "; sign in with: vestibule login" if refusal.code == "not_signed_in" else ""
        fail(f"{refusal} ({refusal.code}){hint}")
        raise typer.Exit(_NOT_DONE) from None
    except NotReached as fault:
        fail(str(fault))
        raise typer.Exit(_NOT_DONE) from None
    finally:
        session.close()


def _kept_for(address: str) -> Path:
    parts = urlsplit(address)
    return Path(typer.get_app_dir("vestibule")) / "sessions" / f"{parts.scheme}-{parts.netloc.replace(':', '-')}.json"


def _password() -> str:
    return _asked("Password", hidden=True)


def _asked(what: str, *, hidden: bool = False) -> str:
    """From a terminal, or as the next line of a pipe."""
    if sys.stdin.isatty():
        answer: str = typer.prompt(what, hide_input=hidden, err=True)
        return answer
    return sys.stdin.readline().rstrip("\n")
