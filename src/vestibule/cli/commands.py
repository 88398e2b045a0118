"""List every command of `vestibule`. `__main__.py` runs what is built here."""

import typer

from vestibule import __version__
from vestibule.cli.copy_database import copy_database
from vestibule.cli.discreet_command import Commands
from vestibule.cli.doctor import doctor
from vestibule.cli.events import events
from vestibule.cli.keys import keys
from vestibule.cli.mail import mail
from vestibule.cli.migrate import migrate
from vestibule.cli.roles import roles
from vestibule.cli.serve import serve
from vestibule.cli.services import services
from vestibule.cli.usage import WrongUsage
from vestibule.cli.users import users

# `vestibule/__main__.py` runs these commands in `cli/session.py`, a separate program. These entries only make the help
# list the commands.
_YOUR_SESSION = {
    "login": "Sign in, at this server or another. The tokens are kept in a file that only you can read.",
    "whoami": "Show who is signed in.",
    "token": "Print a valid access token.",
    "logout": "Sign out: end the session at the server, and delete its tokens here.",
}
_ANY_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _version(asked_for: bool) -> None:
    if asked_for:
        print(f"vestibule {__version__}")
        raise typer.Exit


def build() -> typer.Typer:
    """Return the commands; each finds its `CommandContext` in the context's `obj`."""
    commands = Commands(
        name="vestibule",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @commands.callback()
    def vestibule(
        version: bool = typer.Option(False, "--version", help="Show the version.", callback=_version, is_eager=True),
    ) -> None:
        """Vestibule: sign-up, sign-in, sessions and tokens for your front-ends and services.

        Start with `vestibule serve`. Settings come from the environment and from `.env`; docs/settings.md lists them.
        """

    for command in (serve, migrate, copy_database, doctor, events):
        commands.command()(command)
    for name, group in {"keys": keys, "services": services, "users": users, "roles": roles, "mail": mail}.items():
        commands.add_typer(group, name=name)
    for name, what in _YOUR_SESSION.items():
        commands.command(name, help=what, rich_help_panel="Your own session", context_settings=_ANY_ARGUMENTS)(
            _refuse_as_second_word
        )
    return commands


def _refuse_as_second_word(context: typer.Context) -> None:
    """Refuse a command of `cli/session.py` after an option: `__main__` recognizes it only as the first word."""
    raise WrongUsage(f"nothing may stand before {context.info_name}; type: vestibule {context.info_name}")
