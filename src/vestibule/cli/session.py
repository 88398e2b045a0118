"""`vestibule login`, `whoami`, `token` and `logout`: a person's own session, at this server or at any other.

A program of its own, which `vestibule/__main__.py` chooses, because what it is made of, httpx above all, is 15 MB that
no server should carry.
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
from vestibule.client.wire import InTheOpen
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
            notes.print(f"Signing in at {reading.read().own_base}{_where_from()}.", markup=False, highlight=False)
        session.sign_in(email or asked("Email"), asked("Password", hidden=True))
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
        kept = _kept_for(url or reading.read().own_base)
        if kept.load() is None:
            _nobody_to_sign_out(kept, url or reading.read().own_base)
            return
        session.sign_out()
    notes.print("Signed out.")


def _nobody_to_sign_out(kept: KeptSession, address: str) -> None:
    """Say so; raises `OperatorError` where what is kept is no session any more, and forgets it."""
    if kept.is_there:
        kept.clear()
        raise OperatorError(
            f"{kept.path}: what was kept there was no session, so that none was ended; if there was one, it may go on "
            f"at the server: end it at {address}/profile/security, or change the password"
        )
    notes.print(f"Nobody is signed in at {address}.", markup=False, highlight=False)


@contextmanager
def _session(url: str | None, *, begins: bool = False) -> Iterator[Session]:
    """The session kept for that server; what goes wrong with it ends the command with its reason. Where one `begins`,
    its place is tried out first.
    """
    try:
        address = url or reading.read().own_base
        kept = _kept_for(address)
        session = Session(address, kept)
        _require_no_path(address)
    except reading.WrongSettings as wrong:
        fail(str(wrong))
        raise typer.Exit(_WRONG_URL) from None
    except InTheOpen as wrong:
        fail(f"{_named(url)}: {wrong.what}: use https, or a tunnel (ssh -L), whose end here is http://localhost:PORT")
        raise typer.Exit(_WRONG_URL) from None
    except ValueError as wrong:
        fail(f"{_named(url)}: {wrong}")
        raise typer.Exit(_WRONG_URL) from None
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


def _named(url: str | None) -> str:
    return "--url" if url else "VESTIBULE_URL"


def _require_no_path(address: str) -> None:
    """Raises ValueError: a server's pages and routes begin at its root, and no path is in front of them."""
    parts = urlsplit(address)
    if parts.path.strip("/"):
        raise ValueError(f"give it without a path: {parts.scheme}://{parts.netloc}")


def _try_out(kept: KeptSession) -> None:
    """Before a password is asked for; raises `OperatorError`."""
    try:
        kept.try_out()
    except OSError as fault:
        raise OperatorError(
            f"{kept.path.parent}: no session can be kept there: {fault.strerror}; "
            "make room for it, or set HOME to a folder of yours"
        ) from None


def _where_from() -> str:
    """Who said that the password goes there, where that is a file of whatever folder this is."""
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
