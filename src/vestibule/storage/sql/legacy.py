"""Read the tutorial server's own `users` table (Prisma on PostgreSQL), for `vestibule users import`. Never write it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

from sqlalchemy import Column, MetaData, Row, Select, String, Table, case, cast, func, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from vestibule.model.imports import MAX_COLUMN_CHARACTERS, ForeignRow
from vestibule.process.operator_errors import OperatorError
from vestibule.storage.first_by_email import FirstByEmailOnDisk
from vestibule.storage.sql.driver_faults import driver_message
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.source import SourceUnavailable, source_errors, tolerate_invalid_utf8

# Every column is read as text, whatever its type, so that a value of one row cannot prevent the others from being read.
_FIELDS_BY_COLUMN = {
    "id": "id",
    "name": "name",
    "email": "email",
    "photo": "photo",
    "verified": "verified",
    "password": "password",
    "role": "role",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "provider": "provider",
}
_users = Table("users", MetaData(), *(Column(name, NullType()) for name in _FIELDS_BY_COLUMN))
_ROWS_AT_ONCE = 500
_UNKNOWN_ENCODING = "SQL_ASCII"


class NoSuchTable(OperatorError):
    """The database has no `users` table with the tutorial's columns. The message says what is missing."""

    status = 2


class LegacyUsers:
    """The rows of the tutorial server's `users` table."""

    def __init__(self, engines: Engines) -> None:
        self.first_by_email = FirstByEmailOnDisk()
        self._engines = engines
        tolerate_invalid_utf8(engines)

    async def require(self) -> None:
        """Refuse a database without the tutorial's table: raise `NoSuchTable`. Raises `SourceUnavailable` if the
        database's encoding is unknown, and `StoreUnavailable`.
        """
        try:
            async with self._engines.sqlalchemy_reading() as connection:
                await connection.execute(select(*_users.c).limit(0))
                if self._engines.dialect == "postgresql":
                    await _require_known_encoding(connection)
        except (ProgrammingError, OperationalError) as fault:
            raise NoSuchTable(
                f"--from: {self._engines.writing.url.database}: {driver_message(fault)}; "
                "name the database of the tutorial's server, with its table users"
            ) from fault

    async def count(self) -> int:
        """Return the number of rows; raises `SourceUnavailable`."""
        with source_errors():
            async with self._engines.sqlalchemy_reading() as connection:
                return int((await connection.execute(select(func.count()).select_from(_users))).scalar_one())

    async def batches(self, size: int = _ROWS_AT_ONCE) -> AsyncGenerator[Sequence[ForeignRow], None]:
        """Yield all rows, `size` at a time, so that memory does not grow with the table. Verified rows come first,
        and older rows before newer ones, as `flows/import_accounts.py` needs. Raises `SourceUnavailable`.
        """
        with source_errors():
            async with aclosing(self._partitions(size)) as partitions:
                async for rows in partitions:
                    yield [ForeignRow(**dict(zip(_FIELDS_BY_COLUMN.values(), row, strict=True))) for row in rows]

    async def _partitions(self, size: int) -> AsyncGenerator[Sequence[Row[Any]], None]:
        async with self._connection() as connection:
            if self._engines.dialect == "postgresql":  # the timeouts are meant for requests; an import takes longer
                await connection.execute(text("SET LOCAL statement_timeout = 0"))
                await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            found = await connection.stream(_all())
            async for rows in found.partitions(size):
                yield rows

    def _connection(self) -> AbstractAsyncContextManager[AsyncConnection]:
        # On PostgreSQL a cursor needs a transaction. On SQLite a transaction would lock out writers, and the import may
        # write to the same file.
        return (
            self._engines.sqlalchemy_transaction(seconds=None)
            if self._engines.dialect == "postgresql"
            else self._engines.sqlalchemy_reading()
        )


def _all() -> Select[Any]:
    columns = [
        func.substr(cast(column, String), 1, MAX_COLUMN_CHARACTERS + 1).label(column.name) for column in _users.c
    ]
    verified = case((func.lower(cast(_users.c.verified, String)).in_(["true", "t", "1"]), 0), else_=1)
    return select(*columns).order_by(verified, _users.c.createdAt, cast(_users.c.id, String))


async def _require_known_encoding(connection: AsyncConnection) -> None:
    encoding = (await connection.execute(text("SHOW server_encoding"))).scalar_one()
    if encoding == _UNKNOWN_ENCODING:
        raise SourceUnavailable(
            f"--from: the database has the encoding {encoding}, so that nobody knows which letters its bytes mean; "
            "restore a dump of it into a database made with ENCODING 'UTF8', and import from that"
        )
