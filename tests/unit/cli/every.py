"""Every command there is, with arguments to run it by: a table over commands is a table over these."""

from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from vestibule.cli import commands, session

EMAIL = "ada@example.com"
NEEDED: dict[str, tuple[str, ...]] = {
    "serve": ("--port", "0"),
    "migrate": (),
    "copy-database": ("--from", "sqlite:///elsewhere.sqlite3"),
    "doctor": (),
    "events": (),
    "keys list": (),
    "keys rotate": (),
    "keys retire": ("a-key",),
    "keys reencrypt": (),
    "keys generate": ("--bits", "2048"),
    "services create": ("billing",),
    "services list": (),
    "services revoke": ("billing",),
    "users create": (EMAIL,),
    "users disable": (EMAIL,),
    "users enable": (EMAIL,),
    "users delete": (EMAIL, "--yes"),
    "users import": (),
    "mail list": (),
    "mail retry": (),
    "mail test": (EMAIL,),
    "login": (EMAIL,),
    "whoami": (),
    "token": (),
    "logout": (),
}
"""What each command needs to run; `test_every.py` keeps it whole."""

OF_A_PERSON = ("login", "whoami", "token", "logout")
"""These ask a server, and open no database."""

OF_THE_DATABASE = tuple(name for name in NEEDED if name not in (*OF_A_PERSON, "keys generate"))


def arguments(name: str) -> list[str]:
    """A command as it is typed."""
    return [*name.split(), *NEEDED[name]]


def leaves() -> dict[str, TyperCommand]:
    """The commands by their names, as the program has them; those of a person as the program that does the work."""
    found: dict[str, TyperCommand] = {}
    for program in (commands.build(), session.session_commands):
        found |= dict(_walk(typer.main.get_command(program)))
    return found


def _walk(command: object, *names: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _walk(inner, *names, name)
    elif isinstance(command, TyperCommand):
        yield " ".join(names), command
