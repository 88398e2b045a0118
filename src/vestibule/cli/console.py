"""How the command line looks: what is meant to be read goes to the error stream, results to the output.

Whatever is shown may have been said by others: a server, a mail server, a row of the database. Nothing of it commands
the terminal, and no line of it looks like one of ours.
"""

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from vestibule.process.streams import OutputLost
from vestibule.protocol.one_line import one_line

# What is piped into another program is not folded to a screen that is not there.
_PIPED_WIDTH = 200

_IS_TERMINAL = sys.stdout is not None and sys.stdout.isatty()  # None: closed


class Terminal(Console):
    """A console that writes no control character but its own."""

    def render_str(self, text: str, **how: Any) -> Text:
        """A string that is printed, or a cell of a table: one line."""
        return super().render_str(one_line(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Everything else that is shown; line breaks are those of the layout."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=_lines(segment.text))


results = Terminal(soft_wrap=True, width=None if _IS_TERMINAL else _PIPED_WIDTH)
notes = Terminal(stderr=True, soft_wrap=True)


def fail(message: str) -> None:
    """Say why it stops here, one line for each thing that is wrong; nothing of what needs no words."""
    for line in message.split("\n") if message else ():
        notes.print(f"[bold red]vestibule:[/] {escape(line)}", highlight=False)


def show_once(secret: str, if_lost: str) -> None:
    """Print what nobody can be shown again; raises `OutputLost`, which says then what became of it."""
    try:
        results.print(secret, soft_wrap=True, highlight=False)
        sys.stdout.flush()
    except OutputLost as fault:
        raise OutputLost("\n".join(filter(None, (str(fault), if_lost)))) from None


def print_json(value: Any) -> None:
    """Print a document for programs; what a terminal would obey is written as JSON escapes it."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    print("".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text))


def _lines(text: str) -> str:
    return text if text.isprintable() else "\n".join(map(one_line, text.split("\n")))
