"""Commands that never repeat a surplus argument: it may be a password (`vestibule login a@example.com PASSWORD`)."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand
from typer.models import CommandFunctionType

from vestibule.cli.plain_help import PlainGroup, PlainHelp
from vestibule.protocol.utf8 import is_utf8

_TOO_MANY = (
    "More was given than this command takes; it is not repeated here, because it may be a password. "
    "Passwords are asked for, or read as a line on the standard input."
)
_NOT_UTF8 = "What was typed is not UTF-8 where it should be; type it again, in a terminal whose locale is UTF-8."


class DiscreetCommand(PlainHelp, TyperCommand):
    """A command that does not repeat surplus arguments, and refuses bytes that are not UTF-8."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the rest of the arguments; fails for surplus ones and for bytes that are not UTF-8."""
        if not all(map(is_utf8, args)):
            ctx.fail(_NOT_UTF8)
        # Typer's own error would repeat the surplus arguments. So let it collect them in `ctx.args`, and fail here.
        takes_more, ctx.allow_extra_args = ctx.allow_extra_args, True
        rest: list[str] = super().parse_args(ctx, args)
        if ctx.args and not takes_more and not ctx.resilient_parsing:  # which is True when a shell completes a line
            ctx.fail(_TOO_MANY)
        return rest


class Commands(typer.Typer):
    """A group of `DiscreetCommand`s."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"cls": PlainGroup, **options})

    def command(self, *given: Any, **options: Any) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Return a decorator that registers a function as a `DiscreetCommand`."""
        return super().command(*given, **{"cls": DiscreetCommand, **options})
