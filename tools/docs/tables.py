"""What the pages are put together of."""

from collections.abc import Iterable

MADE = "<!-- Made from the code by `make docs`. Do not edit here. -->"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """In Markdown, a bar ends a cell also within backticks, and a line break ends the table."""
    lines = [head, tuple("---" for _ in head), *rows]
    cells = ([" ".join(cell.split()).replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
