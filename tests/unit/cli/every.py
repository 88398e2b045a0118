"""Every command there is, with arguments to run it by: a table over commands is a table over these.

The commands and what they need are read from the program, so that a new one is in every table by itself.
"""

from collections.abc import Iterator

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from vestibule.cli import commands, session

EMAIL = "ada@example.com"
_EXAMPLES = {
    "EMAIL": EMAIL,
    "NEW_EMAIL": "countess@example.com",
    "NAME": "billing",
    "ROLE": "user",
    "KEY_ID": "a-key",
    "URL": "sqlite:///elsewhere.sqlite3",
}
"""Something to give for each word that stands for a value in the help."""
_ADDED = {
    "serve": ("--port", "0"),
    "keys generate": ("--bits", "2048"),
    "users delete": ("--yes",),
    "users reset-factors": ("--yes",),
    "login": (EMAIL,),
}
"""What a command does not need, but is quicker or asks for less with."""


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


def _needed(command: TyperCommand) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter, TyperArgument | TyperOption) and parameter.required:
            yield from () if isinstance(parameter, TyperArgument) else parameter.opts[:1]
            yield _EXAMPLES[str(parameter.metavar)]


NEEDED = {name: (*_needed(command), *_ADDED.get(name, ())) for name, command in leaves().items()}
"""What each command needs to run."""

OF_A_PERSON = tuple(name for name, _ in _walk(typer.main.get_command(session.session_commands)))
"""These ask a server, and open no database."""

OF_THE_DATABASE = tuple(name for name in NEEDED if name not in (*OF_A_PERSON, "keys generate"))


def arguments(name: str) -> list[str]:
    """A command as it is typed."""
    return [*name.split(), *NEEDED[name]]
