"""The commands `vestibule login`, `whoami`, `token` and `logout` in this program's list; `cli/session.py` runs them."""

import subprocess
import sys

import typer

_PROGRAM = (sys.executable, "-m", "vestibule")
AS_IT_IS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Has typer pass on all arguments, `--help` among them."""


def login(context: typer.Context) -> None:
    """Sign in, at this server or another. The tokens are kept in a file that only you can read."""
    _hand_on("login", context)


def whoami(context: typer.Context) -> None:
    """Show who is signed in."""
    _hand_on("whoami", context)


def token(context: typer.Context) -> None:
    """Print a valid access token."""
    _hand_on("token", context)


def logout(context: typer.Context) -> None:
    """Sign out: end the session at the server, and delete its tokens here."""
    _hand_on("logout", context)


def _hand_on(command: str, context: typer.Context) -> None:
    raise typer.Exit(subprocess.call([*_PROGRAM, command, *context.args]))  # noqa: S603  # nosec B603  # our own program, with what was typed
