"""How the command line looks: what is meant to be read goes to the error stream, results to the output."""

import sys

from rich.console import Console
from rich.markup import escape

# What is piped into another program is not folded to a screen that is not there.
_PIPED_WIDTH = 200

_IS_TERMINAL = sys.stdout is not None and sys.stdout.isatty()  # None: closed
results = Console(soft_wrap=True, width=None if _IS_TERMINAL else _PIPED_WIDTH)
notes = Console(stderr=True, soft_wrap=True)


def fail(message: str) -> None:
    """Say why it stops here, one line for each thing that is wrong."""
    for line in message.splitlines():
        notes.print(f"[bold red]vestibule:[/] {escape(line)}", highlight=False)
