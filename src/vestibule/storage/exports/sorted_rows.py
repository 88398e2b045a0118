"""Keep the rows of a file on disk, because memory may be too small for a million, and return them in the order of an
import: `ForeignRow.precedence`, whose two parts are the columns `later` and `since`.
"""

import json
import sqlite3
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import asdict

from vestibule.model.imports import ForeignRow

_ROWS_AT_ONCE = 500


class SortedRows:
    """Rows in a temporary file without a name: verified ones first, then older before newer ones."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("CREATE TABLE people (later INTEGER, since TEXT, number INTEGER PRIMARY KEY, content TEXT)")
        self._file.execute("BEGIN")  # never committed: nothing has to outlive the process

    def add(self, rows: Iterable[ForeignRow]) -> None:
        """Add rows, in the order of the file."""
        records = ((*row.precedence, json.dumps(list(asdict(row).values()))) for row in rows)
        self._file.executemany("INSERT INTO people (later, since, content) VALUES (?, ?, ?)", records)

    def count(self) -> int:
        """Return how many rows there are."""
        return int(self._file.execute("SELECT count(*) FROM people").fetchone()[0])

    async def batches(self) -> AsyncGenerator[Sequence[ForeignRow], None]:
        """Yield all rows in batches, in the order of an import."""
        found = self._file.execute("SELECT content FROM people ORDER BY later, since, number")
        while rows := found.fetchmany(_ROWS_AT_ONCE):
            yield [ForeignRow(*json.loads(content)) for (content,) in rows]

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
