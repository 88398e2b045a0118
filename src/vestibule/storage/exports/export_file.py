"""A file of people, opened: which format it has, and its rows."""

import stat
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BufferedReader, FileIO
from pathlib import Path

from vestibule.model.imports import ExportFormat, ForeignRow
from vestibule.storage.exports.csv_file import csv_rows
from vestibule.storage.exports.faults import UnusableFile
from vestibule.storage.exports.fields import Given
from vestibule.storage.exports.json_file import json_rows
from vestibule.storage.exports.sorted_rows import SortedRows
from vestibule.storage.first_by_email import FirstByEmailOnDisk

_ROWS_BETWEEN_CALLS = 1_000
_BEGINNING_BYTES = 65_536
_BLANK = b"\xef\xbb\xbf \t\r\n"
# The first bytes of files of other kinds, and what to do with them.
_OTHERS = {
    b"SQLite format 3\0": "is a SQLite database; name it by --from sqlite:///FILE",
    b"\x1f\x8b": "is compressed; unpack it first, with gunzip",
    b"PK\x03\x04": "is a ZIP file or a spreadsheet; unpack it, or save it as CSV (UTF-8)",
    b"\xff\xfe": "is UTF-16; save it as UTF-8",
    b"\xfe\xff": "is UTF-16; save it as UTF-8",
    b"PGDMP": "is a dump for pg_restore; restore it and export its table of users as CSV",
}


class ExportFile:
    """The people in a file. Implements `cli.command_context.AccountSource`."""

    def __init__(self, path: Path, given: Given, format_: ExportFormat | None = None) -> None:
        """Read nothing yet. `given.now` and `given.verified` stand in where the file does not say when an account was
        created, and whether its email is verified.
        """
        self.first_by_email = FirstByEmailOnDisk()
        self._path, self._given, self._format = path, given, format_
        self._rows = SortedRows()

    def read(self, progress: Callable[[int, int | None], None]) -> None:
        """Read the whole file, and sort its rows on disk; raises `UnusableFile`. `progress` is called with the number
        of bytes read so far and the size of the file, which is None for a pipe.
        """
        with self._opened() as (file, size):
            self._rows.add(self._completed(self._read(file), lambda: progress(file.tell() if size else 0, size)))
        if not self._rows.count():
            raise UnusableFile(f"{self._path} has no users in it")

    async def count(self) -> int:
        """Return how many rows were read."""
        return self._rows.count()

    def batches(self) -> AsyncGenerator[Sequence[ForeignRow], None]:
        """Yield all rows in batches, in the order of an import."""
        return self._rows.batches()

    def close(self) -> None:
        """Delete what is on disk."""
        self._rows.close()
        self.first_by_email.close()

    @contextmanager
    def _opened(self) -> "Iterator[tuple[BufferedReader[FileIO], int | None]]":
        try:
            with BufferedReader(FileIO(self._path), _BEGINNING_BYTES) as file:
                found = self._path.stat()
                yield file, found.st_size if stat.S_ISREG(found.st_mode) else None
        except OSError as fault:
            raise UnusableFile(f"{self._path} cannot be read: {fault.strerror}") from None

    def _read(self, file: "BufferedReader[FileIO]") -> Iterator[ForeignRow]:
        beginning = file.peek(1)[:512]
        if not beginning.strip(_BLANK):
            raise UnusableFile(f"{self._path} is empty")
        for mark, what in _OTHERS.items():
            if beginning.startswith(mark):
                raise UnusableFile(f"{self._path} {what}")
        rows = json_rows if beginning.lstrip(_BLANK)[:1] in {b"{", b"["} else csv_rows
        return rows(self._path, file, self._format, self._given)

    def _completed(self, rows: Iterator[ForeignRow], progress: Callable[[], None]) -> Iterator[ForeignRow]:
        """Yield the rows with what the file does not say, and call `progress` now and then."""
        for number, row in enumerate(rows):
            if number % _ROWS_BETWEEN_CALLS == 0:
                progress()
            created_at = row.created_at or self._given.now.isoformat()
            verified = row.verified or str(self._given.verified).lower()
            yield replace(row, created_at=created_at, updated_at=row.updated_at or created_at, verified=verified)
        progress()
