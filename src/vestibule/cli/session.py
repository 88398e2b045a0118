"""`vestibule login`, `whoami`, `token` and `logout`: a user's own session, at this server or any other.

A program of its own, which `vestibule/__main__.py` chooses: its imports, httpx above all, take 15 MB that no server
should carry.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Table

from vestibule.cli import usage
from vestibule.cli.asked import asked
from vestibule.cli.console import fail, notes, print_json, results
from vestibule.cli.endings import explained
from vestibule.cli.kept import KeptSession
from vestibule.cli.typed import Commands
from vestibule.client import NotReachedError, Session, SignedOutError
from vestibule.client.wire import PlainHttpError
from vestibule.process.operator_errors import OperatorError
from vestibule.settings import reading

_WRONG_URL, _NOT_DONE = 2, 1
person = Commands(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_SHOWN = ("name", "email", "email_verified", "role", "id")

Url = Annotated[
    str | None, typer.Option("--url", help="Server to use. Default: VESTIBULE_URL, or localhost with PORT.")
]


@person.command()
def login(
    email: Annotated[
        str | None,
        typer.Argument(metavar="[EMAIL]", help="The account's email. Default: ask for it.", show_default=False),
    ] = None,
    url: Url = None,
) -> None:
    """Sign in. The tokens are kept in a file that only you can read, and renewed before they expire.

    Asks for the password; a script passes it as a line on the standard input.
    """
    with _session(url, begins=True) as session:
        if url is None:
            notes.print(f"Signing in at {reading.read().own_base}{_where_from()}.", markup=False, highlight=False)
        session.sign_in(email or asked("Email"), asked("Password", hidden=True))
        notes.print(f"Signed in as {session.me().get('email')}.", markup=False)


@person.command()
def whoami(url: Url = None, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show who is signed in, as the server knows them now."""
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
    """Print a valid access token, for `curl -H "Authorization: Bearer $(vestibule token)"`."""
    with _session(url) as session:
        print(session.fresh().access)


@person.command()
def logout(url: Url = None) -> None:
    """Sign out: end the session at the server, and delete its tokens here."""
    with _session(url) as session:
        kept = _kept_for(url or reading.read().own_base)
        if kept.load() is None:
            _nobody_to_sign_out(kept, url or reading.read().own_base)
            return
        session.sign_out()
    notes.print("Signed out.")


def _nobody_to_sign_out(kept: KeptSession, address: str) -> None:
    """Say that nobody is signed in; deletes a file that holds no session, and raises `OperatorError` about it."""
    if kept.is_there:
        kept.clear()
        raise OperatorError(
            f"{kept.path}: the file held no session, so none was ended; a session may still be open at the server: "
            f"end it at {address}/profile/security, or change the password"
        )
    notes.print(f"Nobody is signed in at {address}.", markup=False, highlight=False)


@contextmanager
def _session(url: str | None, *, begins: bool = False) -> Iterator[Session]:
    """Return the session stored for that server; on an error print the reason, and raise `typer.Exit`. `begins`: first
    check that the session can be stored.
    """
    session, kept = _opened(url)
    try:
        if begins:
            _try_out(kept)
        yield session
    except SignedOutError as refusal:
        hint = "; sign in with: vestibule login" if refusal.code == "not_signed_in" else ""
        fail(f"{refusal}{hint}")
        raise typer.Exit(_NOT_DONE) from None
    except NotReachedError as fault:
        fail(str(fault))
        raise typer.Exit(_NOT_DONE) from None
    finally:
        session.close()


def _opened(url: str | None) -> tuple[Session, KeptSession]:
    """Return the session of a server and the file that stores it; print what is wrong, and raise `typer.Exit`."""
    try:
        address = url or reading.read().own_base
        kept = _kept_for(address)
        session = Session(address, kept)
        _require_no_path(address)
    except reading.WrongSettings as wrong:
        fail(str(wrong))
        raise typer.Exit(_WRONG_URL) from None
    except PlainHttpError as wrong:
        fail(f"{_named(url)}: {wrong.what}: use https, or a tunnel (ssh -L), whose end here is http://localhost:PORT")
        raise typer.Exit(_WRONG_URL) from None
    except ValueError as wrong:
        fail(f"{_named(url)}: {wrong}")
        raise typer.Exit(_WRONG_URL) from None
    return session, kept


def _named(url: str | None) -> str:
    return "--url" if url else "VESTIBULE_URL"


def _require_no_path(address: str) -> None:
    """Raise ValueError for an address with a path: Vestibule's routes begin at the server's root."""
    parts = urlsplit(address)
    if parts.path.strip("/"):
        raise ValueError(f"give it without a path: {parts.scheme}://{parts.netloc}")


def _try_out(kept: KeptSession) -> None:
    """Check that the session can be stored, before asking for a password; raises `OperatorError`."""
    try:
        kept.try_out()
    except OSError as fault:
        raise OperatorError(
            f"{kept.path.parent}: no session can be kept there: {fault.strerror}; "
            "make room for it, or set HOME to a folder of yours"
        ) from None


def _where_from() -> str:
    """Return which line of which `.env` file named the server, or nothing: the folder may be anybody's."""
    name = next((name for name in ("VESTIBULE_URL", "PORT") if reading.from_env_file(name)), None)
    return f", which {name} in {reading.ENV_FILE.absolute()} names" if name else ""


def _kept_for(address: str) -> KeptSession:
    parts = urlsplit(address)
    folder = Path(typer.get_app_dir("vestibule"))
    if not folder.is_absolute():
        raise reading.WrongSettings("HOME: nobody knows where your home is, in which a session is kept; set it")
    return KeptSession(folder / "sessions" / f"{parts.scheme}-{parts.netloc.replace(':', '-')}.json")


def main() -> None:
    """Run one of these commands."""
    with explained():
        usage.run(person)
