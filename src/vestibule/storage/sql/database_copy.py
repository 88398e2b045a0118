"""Copy everything from one database to another, SQLite or PostgreSQL: all of it, or nothing. For
`vestibule copy-database`.
"""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.process.operator_errors import OperatorError
from vestibule.protocol.one_line import one_line
from vestibule.storage.sql.driver_faults import driver_message, is_about_a_value
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.schema import Sequence, metadata
from vestibule.storage.sql.source import SourceUnusable, source_errors, tolerate_invalid_utf8

_ROWS_AT_ONCE = 500
_MOST_KEY_CHARACTERS = 64  # of a primary key that a message repeats
_ARGUMENT = re.compile(r"query argument \$(\d+)")  # how asyncpg names a value that does not fit
# How the database, a driver or SQLAlchemy refuses a value.
_REFUSALS = (StatementError, ValueError, TypeError, OverflowError)


class NotEmpty(OperatorError):
    """The target database has rows already. The message says what to do."""


class RowRefused(SourceUnusable):
    """The target database does not take a row of the source. The message names the row by its primary key."""


class DatabaseCopy:
    """A copy from one database to another; both have the current schema."""

    def __init__(self, source: Engines, target: Engines) -> None:
        self._source = source
        self._target = target
        tolerate_invalid_utf8(source)  # so that `RowRefused` can name a row with such text

    async def count(self) -> int:
        """Return the number of rows to copy; raises `SourceUnavailable`."""
        with source_errors():
            async with self._source.sqlalchemy_reading() as old:
                return sum([await _count_rows(old, table) for table in metadata.sorted_tables])

    async def run(self, progress: Callable[[int], None]) -> dict[str, int]:
        """Copy every table, and return the number of rows of each. `progress` is called with the size of each batch.

        A SQLite file is closed to writers meanwhile; on PostgreSQL the servers must have been stopped. Raises
        `NotEmpty`, `RowRefused`, `SourceUnavailable` or `StoreUnavailable`, and has then changed nothing.
        """
        async with (
            self._source.sqlalchemy_transaction(seconds=None) as old,
            self._target.sqlalchemy_transaction(seconds=None) as new,
        ):
            await _require_empty(new)
            copied = {table.name: await _copy(table, old, new, progress) for table in metadata.sorted_tables}
            await _continue_numbering(new)
        return copied


async def _require_empty(new: AsyncConnection) -> None:
    if new.dialect.name == "postgresql":  # otherwise two copies at the same time could both find it empty
        await new.execute(text("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE"))
    for table in metadata.sorted_tables:
        if (await new.execute(select(table).limit(1))).first() is not None:
            raise NotEmpty(
                f"DATABASE_URL: the database is not empty: there are rows in {table.name}; make an empty one, run "
                "vestibule migrate on it, and start no server before this command has run"
            )


async def _copy(table: Table, old: AsyncConnection, new: AsyncConnection, progress: Callable[[int], None]) -> int:
    copied = 0
    async for rows in _read(table, old):
        await _insert(table, [dict(row._mapping) for row in rows], new)
        copied += len(rows)
        progress(len(rows))
    return copied


async def _insert(table: Table, rows: list[dict[str, Any]], new: AsyncConnection) -> None:
    """Insert the rows; raises `RowRefused` for the first that the database does not take."""
    try:
        async with new.begin_nested():
            await new.execute(insert(table), rows)
    except _REFUSALS as fault:
        if isinstance(fault, DBAPIError) and not is_about_a_value(fault):
            raise
        if len(rows) == 1:
            raise RowRefused(_refusal(table, rows[0], fault)) from None
        for row in rows:
            await _insert(table, [row], new)


def _refusal(table: Table, row: dict[str, Any], fault: Exception) -> str:
    key = ", ".join(f"{column.name} {str(row[column.name])[:_MOST_KEY_CHARACTERS]}" for column in table.primary_key)
    return (
        f"--from: the row of {table.name} with {one_line(key)} does not fit into the new database: "
        f"{_why(table, fault)}; nothing was copied: correct or delete that row, then run this again"
    )


def _why(table: Table, fault: Exception) -> str:
    """Return what is wrong with a row, without its content."""
    message = driver_message(fault) if isinstance(fault, DBAPIError) else "a value does not fit its column"
    argument = _ARGUMENT.search(message)
    if argument is None:
        return message
    column = list(table.columns)[int(argument[1]) - 1]
    return f"its {column.name} does not fit its column"


async def _read(table: Table, old: AsyncConnection) -> AsyncIterator[Any]:
    with source_errors():
        found = await old.stream(select(table))
        async for rows in found.partitions(_ROWS_AT_ONCE):
            yield rows


async def _continue_numbering(new: AsyncConnection) -> None:
    """Have PostgreSQL continue the source's numbering; SQLite does so by itself."""
    if new.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        for column in table.primary_key.columns:
            if column.type is Sequence:
                last = select(func.max(column)).scalar_subquery()
                sequence = func.pg_get_serial_sequence(table.name, column.name)
                await new.execute(select(func.setval(sequence, last)).where(last.is_not(None)))


async def _count_rows(connection: AsyncConnection, table: Table) -> int:
    counted: Any = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
    return int(counted)
