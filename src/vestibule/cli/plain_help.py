"""Help as man pages have it: `--admin`, `--port PORT`, `users create EMAIL`.

Typer would show the types of Python beside them, and braces around a required argument.
"""

from typing import Any

from typer.core import TyperGroup


class PlainHelp:
    """Mixed into a command or a group: its help shows no types, only the words for values (`metavar`) and choices.
    Typer calls both methods.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options and arguments, changed so that the help shows no type for arguments and flags."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]  # of the class that this is mixed into
        for param in params:
            if param.param_type_name == "argument":
                param.display_type_rich = _no_type  # the method that names the type; there is no setting for it
            elif param.is_flag:
                param.metavar = ""
        return params

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the line `Usage: …` after the command's name, without braces."""
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]
        return [piece.replace("{", "").replace("}", "") for piece in pieces]


class PlainGroup(PlainHelp, TyperGroup):
    """A group of commands with plain help."""


def _no_type(ctx: Any) -> str:
    del ctx  # Typer passes it by name
    return ""
