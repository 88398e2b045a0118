"""Read a file as `vestibule users import` does, and say what became of each row."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.model.accounts import Account
from vestibule.model.imports import ExportFormat, ForeignRow, LeftOut, RowConverter
from vestibule.storage.exports.export_file import ExportFile
from vestibule.storage.exports.fields import Given

NOW = datetime(2026, 11, 30, tzinfo=UTC)
GIVEN = Given(NOW)
_HASHER = Hasher(Argon2id(memory_kib=64, iterations=1))


def rows_of(path: Path, format_: ExportFormat | None = None, given: Given = GIVEN) -> list[ForeignRow]:
    """All rows, in the order of an import; raises `UnusableFile`."""
    with closing(ExportFile(path, given, format_)) as export:
        export.read(lambda done, size: None)
        return asyncio.run(_all(export))


async def _all(export: ExportFile) -> list[ForeignRow]:
    return [row async for batch in export.batches() for row in batch]


def judged(rows: Sequence[ForeignRow], *, admins: bool = False) -> dict[str, Account | str]:
    """For each row, by its place, the account, or the reason why there is none."""
    converter = RowConverter(_HASHER.can_match, admins)
    told: dict[str, Account | str] = {}
    for row in rows:
        try:
            told[row.label] = converter.account(row)
        except LeftOut as reason:
            told[row.label] = str(reason)
    return told
