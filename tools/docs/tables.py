"""Build the parts that several pages have."""

from collections.abc import Iterable

MADE = "<!-- Made from the code by `make docs`. Do not edit here. -->"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown. Bars are escaped, because they end a cell even within backticks; line breaks become
    spaces, because they end the table.
    """
    lines = [head, tuple("---" for _ in head), *rows]
    cells = ([" ".join(cell.split()).replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
