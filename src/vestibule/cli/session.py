"""`vestibule login`, `whoami`, `token` and `logout`: a user's own session, at this server or any other.

`cli/session.py` is a separate program, which `vestibule/__main__.py` chooses: its imports, such as httpx, take 6 MB of
memory that no server should need.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Column, Table

from vestibule.cli import usage
from vestibule.cli.console import fail, notes, print_json, results
from vestibule.cli.discreet_command import Commands
from vestibule.cli.endings import explained
from vestibule.cli.prompt import ask
from vestibule.cli.second_step import set_up_app, take_second_step
from vestibule.cli.session_file import SessionFile
from vestibule.client import (
    EnrolmentRequiredError,
    NotReachedError,
    NotStoredError,
    SecondFactorRequiredError,
    Session,
    SignedOutError,
)
from vestibule.client.base_url import PlainHttpError
from vestibule.client.session_sender import NOT_REACHED
from vestibule.client.wire import AuthoritiesError
from vestibule.process.operator_errors import OperatorError
from vestibule.protocol.this_machine import is_this_machine
from vestibule.settings import reading

_WRONG_URL, _NOT_DONE = 2, 1  # exit statuses
session_commands = Commands(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_HINTS = {"not_signed_in": "; sign in with: vestibule login"}
_FIELDS_TO_PRINT = ("name", "email", "email_verified", "role", "id")

Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Server to use. Default: VESTIBULE_URL, or localhost with PORT."),
]


@session_commands.command()
def login(
    email: Annotated[
        str | None,
        typer.Argument(metavar="EMAIL", help="The account's email. Default: ask for it.", show_default=False),
    ] = None,
    url: Url = None,
) -> None:
    """Sign in. The tokens are kept in a file that only you can read, and renewed before they expire.

    Asks for the password and, if the account has a second factor, for a code of the authenticator app or a recovery
    code. A script passes each as a line on the standard input. If the account must have a second factor and has none,
    an authenticator app is set up.
    """
    with _session(url, begins=True) as session:
        if url is None:
            notes.print(f"Signing in at {reading.read().own_base}{_by_env_file()}.", markup=False, highlight=False)
        try:
            session.sign_in(email or ask("Email"), ask("Password", hidden=True))
        except SecondFactorRequiredError as asked:
            take_second_step(session, asked.factors)
        except EnrolmentRequiredError as asked:
            set_up_app(session, asked)
        notes.print(f"Signed in as {session.me().get('email')}.", markup=False)


@session_commands.command()
def whoami(url: Url = None, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show who is signed in, as the server knows them now."""
    with _session(url) as session:
        user = session.me()
    if as_json:
        print_json(user)
        return
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    for member in _FIELDS_TO_PRINT:
        table.add_row(member, escape(str(user.get(member, ""))))
    results.print(table)


@session_commands.command()
def token(url: Url = None) -> None:
    """Print a valid access token, for `vestibule token | sed "s/^/Authorization: Bearer /" | curl -H @- …`."""
    with _session(url) as session:
        print(session.fresh().access)


@session_commands.command()
def logout(url: Url = None) -> None:
    """Sign out: end the session at the server, and delete its tokens here."""
    with _session(url) as session:
        file = _file_for(url or reading.read().own_base)
        if file.load() is None:
            _nobody_to_sign_out(file, url or reading.read().own_base)
            return
        session.sign_out()
    notes.print("Signed out.")


def _nobody_to_sign_out(file: SessionFile, address: str) -> None:
    """Print that nobody is signed in. If there is a file, it holds no session: delete it and raise `OperatorError`."""
    if file.exists:
        file.clear()
        raise OperatorError(
            f"{file.path}: the file held no session, so none was ended; a session may still be open at the server: "
            f"end it at {address}/profile/security, or change the password"
        )
    notes.print(f"Nobody is signed in at {address}.", markup=False, highlight=False)


@contextmanager
def _session(url: str | None, *, begins: bool = False) -> Iterator[Session]:
    """Yield the session stored for that server. On an error print the reason, and raise `typer.Exit`. With `begins`,
    first check that a new session can be stored.
    """
    session, file = _opened(url)
    try:
        if begins:
            _require_place_for(file)
        yield session
    except SignedOutError as refusal:
        fail(f"{refusal}{_HINTS.get(refusal.code, '')}")
        raise typer.Exit(_NOT_DONE) from None
    except NotReachedError as fault:
        fail(f"{fault}{_where_else(url, fault)}")
        raise typer.Exit(_NOT_DONE) from None
    finally:
        session.close()


def _opened(url: str | None) -> tuple[Session, SessionFile]:
    """Return the session of a server and the file that stores it; print what is wrong, and raise `typer.Exit`."""
    try:
        address = url or reading.read().own_base
        file = _file_for(address)
        session = Session(address, file)
        _require_no_path(address)
    except (reading.WrongSettings, AuthoritiesError) as wrong:  # the message names the setting
        fail(str(wrong))
        raise typer.Exit(_WRONG_URL) from None
    except PlainHttpError as wrong:
        fail(f"{_named(url)}: {wrong.what}: use https, or a tunnel (ssh -L), whose end here is http://localhost:PORT")
        raise typer.Exit(_WRONG_URL) from None
    except ValueError as wrong:
        fail(f"{_named(url)}: {wrong}")
        raise typer.Exit(_WRONG_URL) from None
    return session, file


def _where_else(url: str | None, fault: NotReachedError) -> str:
    """Return what to do if there is no answer from the address; empty if something answered there."""
    if NOT_REACHED not in str(fault):
        return ""
    address = url or reading.read().own_base
    start = "start Vestibule there (vestibule serve), or " if is_this_machine(urlsplit(address).hostname or "") else ""
    return f"; {start}name another server: --url https://auth.example.com, or VESTIBULE_URL, or PORT for this machine"


def _named(url: str | None) -> str:
    return "--url" if url else "VESTIBULE_URL"


def _require_no_path(address: str) -> None:
    """Raise ValueError for an address with a path: Vestibule's routes begin at the server's root."""
    parts = urlsplit(address)
    if parts.path.strip("/"):
        raise ValueError(f"give it without a path: {parts.scheme}://{parts.netloc}")


def _require_place_for(file: SessionFile) -> None:
    """Check that the session can be stored, before asking for a password; raises `OperatorError`."""
    try:
        file.try_out()
    except NotStoredError as fault:
        raise OperatorError(
            f"{file.path.parent}: no session can be stored there: {fault.reason}; "
            "make room for it, or set HOME to a folder of yours"
        ) from None


def _by_env_file() -> str:
    """Return which setting of which `.env` file named the server; empty if none did. The user should see that before
    typing the password, because the current folder may be another person's.
    """
    name = next((name for name in ("VESTIBULE_URL", "PORT") if reading.from_env_file(name)), None)
    return f", which {name} in {reading.ENV_FILE.absolute()} names" if name else ""


def _file_for(address: str) -> SessionFile:
    """Return the file that stores the session at a server; raises `WrongSettings` if there is no home folder."""
    parts = urlsplit(address)
    folder = Path(typer.get_app_dir("vestibule"))
    if not folder.is_absolute():
        raise reading.WrongSettings("HOME: set it to your home folder, in which the session is stored")
    return SessionFile(folder / "sessions" / f"{parts.scheme}-{parts.netloc.replace(':', '-')}.json")


def main() -> None:
    """Run one of these commands."""
    with explained():
        usage.run(session_commands)
