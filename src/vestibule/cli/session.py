"""`vestibule login`, `whoami`, `token` and `logout`: a person's own session, at this server or at any other.

A program of its own (`vestibule/person.py`), because what it is made of, httpx above all, is 15 MB that no
server should carry.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Table

from vestibule import settings
from vestibule.cli.console import fail, notes, print_json, results
from vestibule.cli.typed import Commands
from vestibule.cli.usage import WronglyTyped
from vestibule.client import InFile, NotReached, Session, SignedOut
from vestibule.model.operator_errors import OperatorError

_WRONG_URL, _NOT_DONE = 2, 1
person = Commands(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_LONGEST_LINE = 10_000
_SHOWN = ("name", "email", "email_verified", "role", "id")

Url = Annotated[
    str | None, typer.Option("--url", help="The Vestibule to ask. Unset: VESTIBULE_URL, or localhost with PORT.")
]


@person.command()
def login(
    email: Annotated[
        str | None,
        typer.Argument(
            metavar="[EMAIL]", help="Email of the account; asked for if it is not given.", show_default=False
        ),
    ] = None,
    url: Url = None,
) -> None:
    """Sign in. The tokens are kept in a file that only you can read, and renewed when it is time.

    The password is asked for; a script gives it as a line on the standard input.
    """
    with _session(url, begins=True) as session:
        if url is None:
            notes.print(f"Signing in at {settings.read().own_base}{_where_from()}.", markup=False, highlight=False)
        session.sign_in(email or _asked("Email"), _password())
        notes.print(f"Signed in as {session.me().get('email')}.", markup=False)


@person.command()
def whoami(url: Url = None, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show who is signed in here, as the server knows them now."""
    with _session(url) as session:
        user = session.me()
    if as_json:
        print_json(user)
        return
    table = Table.grid(padding=(0, 2))
    for member in _SHOWN:
        table.add_row(member, escape(str(user.get(member, ""))))
    results.print(table)


@person.command()
def token(url: Url = None) -> None:
    """Print an access token that is good for a while, as `curl -H "Authorization: Bearer $(vestibule token)"` needs."""
    with _session(url) as session:
        print(session.fresh().access)


@person.command()
def logout(url: Url = None) -> None:
    """Sign out: the session ends at the server, and is forgotten here."""
    with _session(url) as session:
        session.sign_out()
    notes.print("Signed out.")


@contextmanager
def _session(url: str | None, *, begins: bool = False) -> Iterator[Session]:
    """The session kept for that server; what goes wrong with it ends the command with its reason. Where one `begins`,
    its place is tried out first.
    """
    try:
        address = url or settings.read().own_base
        kept = InFile(_kept_for(address))
        session = Session(address, kept)
    except settings.WrongSettings as wrong:
        fail(str(wrong))
        raise typer.Exit(_WRONG_URL) from None
    except ValueError as wrong:
        fail(f"--url: {wrong}")
        raise typer.Exit(_WRONG_URL) from None
    try:
        if begins:
            _try_out(kept, address)
        yield session
    except SignedOut as refusal:
        hint = "; sign in with: vestibule login" if refusal.code == "not_signed_in" else ""
        fail(f"{refusal}{hint}")
        raise typer.Exit(_NOT_DONE) from None
    except NotReached as fault:
        fail(str(fault))
        raise typer.Exit(_NOT_DONE) from None
    finally:
        session.close()


def _try_out(kept: InFile, address: str) -> None:
    """Before a password is asked for; raises `OperatorError`."""
    try:
        kept.try_out()
    except OSError as fault:
        raise OperatorError(
            f"{_kept_for(address).parent}: no session can be kept there: {fault.strerror}; "
            "make room for it, or set HOME to a folder of yours"
        ) from None


def _where_from() -> str:
    """Who said that the password goes there, where that is a file of whatever folder this is."""
    name = next((name for name in ("VESTIBULE_URL", "PORT") if settings.from_env_file(name)), None)
    return f", which {name} in {settings.ENV_FILE.absolute()} names" if name else ""


def _kept_for(address: str) -> Path:
    parts = urlsplit(address)
    folder = Path(typer.get_app_dir("vestibule"))
    if not folder.is_absolute():
        raise settings.WrongSettings("HOME: nobody knows where your home is, in which a session is kept; set it")
    return folder / "sessions" / f"{parts.scheme}-{parts.netloc.replace(':', '-')}.json"


def _password() -> str:
    return _asked("Password", hidden=True)


def _asked(what: str, *, hidden: bool = False) -> str:
    """From a terminal, or as the next line of a pipe; raises `WronglyTyped` where nothing comes."""
    if sys.stdin.isatty():
        answer: str = typer.prompt(what, hide_input=hidden, err=True)
        return answer
    try:
        line = sys.stdin.readline(_LONGEST_LINE).rstrip("\n")
    except UnicodeDecodeError:
        raise WronglyTyped(f"{what.lower()}: what was given on the standard input is not UTF-8") from None
    if not line:
        raise WronglyTyped(f"no {what.lower()} was given: type it, or give it as a line on the standard input")
    return line
