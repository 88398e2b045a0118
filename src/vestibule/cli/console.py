"""Write the output of commands: results to standard output, notes for people to standard error.

The text may come from others: a server, a mail server, a row of the database. A text of others must not control the
terminal, and must not begin a line that looks like one of ours.
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

# The width of tables in a pipe, which has no screen's width. Other lines are never wrapped (`soft_wrap`).
_PIPED_WIDTH = 200

_IS_TERMINAL = sys.stdout is not None and sys.stdout.isatty()  # Python sets None if the stream is closed


class Terminal(Console):
    """A console that writes no control characters except its own. It does not replace `:1234:` by an emoji either, as
    rich does by default: that may be part of an IPv6 address.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a printed string, or a cell of a table, as one line."""
        return super().render_str(one_line(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of anything printed, without control characters. Line breaks stay: the layout is made of
        them, and a string has none after `render_str`. A `Text` keeps its own line breaks, so give it a text of one
        line.
        """
        for segment in super().render(renderable, options):
            # rich marks its own control sequences, such as those that move the cursor, with `control`.
            yield segment if segment.control else segment._replace(text=_lines(segment.text))


results = Terminal(soft_wrap=True, width=None if _IS_TERMINAL else _PIPED_WIDTH)
notes = Terminal(stderr=True, soft_wrap=True)


def fail(message: str) -> None:
    """Print why the command stops, one line for each problem; nothing for an empty message."""
    for line in message.split("\n") if message else ():
        notes.print(f"[bold red]vestibule:[/] {escape(line)}", highlight=False)


def show_once(secret: str, if_lost: str) -> None:
    """Print a secret that cannot be shown again. If that fails, raise `OutputLost`, with `if_lost` as a line of its
    message: what to do now.
    """
    try:
        results.print(secret, soft_wrap=True, highlight=False)
        sys.stdout.flush()
    except OutputLost as fault:
        raise OutputLost("\n".join(filter(None, (str(fault), if_lost)))) from None


def print_json(value: Any) -> None:
    """Print a JSON document for programs, with control characters escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    print("".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text))


def _lines(text: str) -> str:
    """Return the text with each of its lines made harmless by `one_line`."""
    return text if text.isprintable() else "\n".join(map(one_line, text.split("\n")))
