"""How the command line looks: what is meant to be read goes to the error stream, results to the output."""

from rich.console import Console
from rich.markup import escape

results = Console(soft_wrap=True)
notes = Console(stderr=True, soft_wrap=True)


def fail(message: str) -> None:
    """Say why it stops here, one line for each thing that is wrong."""
    for line in message.splitlines():
        notes.print(f"[bold red]vestibule:[/] {escape(line)}", highlight=False)
