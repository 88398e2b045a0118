"""`vestibule login`, `whoami`, `token` and `logout`, as this program lists them: `cli/session.py` runs them."""

import subprocess
import sys

import typer

_PROGRAM = (sys.executable, "-m", "vestibule")
AS_IT_IS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""How typer takes arguments that are another program's, `--help` among them."""


def login(context: typer.Context) -> None:
    """Sign in, here or elsewhere; the tokens are kept in a file that only you can read."""
    _hand_on("login", context)


def whoami(context: typer.Context) -> None:
    """Show who is signed in so."""
    _hand_on("whoami", context)


def token(context: typer.Context) -> None:
    """Print an access token that is good for a while."""
    _hand_on("token", context)


def logout(context: typer.Context) -> None:
    """Sign out: the session ends at the server, and is forgotten here."""
    _hand_on("logout", context)


def _hand_on(command: str, context: typer.Context) -> None:
    raise typer.Exit(subprocess.call([*_PROGRAM, command, *context.args]))  # noqa: S603  # nosec B603  # our own program, with what was typed
