"""Run statements through the database driver, on connections from SQLAlchemy's pools.

SQLAlchemy Core compiles the statements (`prepared.py`), but does not run them, because that would cost more CPU.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from typing import Any, ClassVar, Protocol, TypeVar

import aiosqlite
import asyncpg
from sqlalchemy import exc
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable

from vestibule.storage.sql.prepared import ROWS_AT_ONCE, DriverText, Parameters, Prepared
from vestibule.storage.sql.redaction import redact_driver_error
from vestibule.storage.sql.rows import Rows

T = TypeVar("T")


class Watcher(Protocol):
    """Called around each statement with the dialect's name and the SQL, never with values."""

    def __call__(self, dialect: str, sql: str, /) -> AbstractContextManager[Any]: ...


class DriverConnection(ABC):
    """A connection of the driver, with the part of SQLAlchemy Core's interface that the ports need. `Checkouts` gives
    each connection the `generation` of its pool. It begins a new generation when a connection breaks, and then replaces
    connections of an older one.
    """

    watchers: ClassVar[list[Watcher]] = []
    begin_sql: ClassVar[str]
    errors: ClassVar[tuple[type[Exception], ...]]

    def __init__(self, dialect: Dialect, generation: int) -> None:
        self.dialect = dialect
        self.generation = generation
        self.os_error: OSError | None = None
        """The OSError that the driver raised last: the network failed, or a statement timed out. None until then."""

    async def execute(
        self, statement: Prepared | Executable, given: Parameters | Sequence[Parameters] | None = None
    ) -> Rows:
        """Run a statement once, or once for each of many rows of values, and return its rows. Raises
        `sqlalchemy.exc.DBAPIError`; OSError if the network fails or the statement times out.
        """
        prepared = statement if isinstance(statement, Prepared) else Prepared(statement)
        if given is None or isinstance(given, Mapping):
            return await self._execute(prepared, given or {})
        if len(given) == 1:
            return await self._execute(prepared, given[0])
        return await self._execute_many(prepared, given)

    async def _execute(self, prepared: Prepared, given: Parameters) -> Rows:
        compiled = prepared.for_driver(self.dialect, given)
        return await self._watched(compiled.sql, self._run(compiled, given))

    async def _execute_many(self, prepared: Prepared, given: Sequence[Parameters]) -> Rows:
        compiled = prepared.for_driver(self.dialect, given[0])
        if compiled.make_row is not None:
            return Rows(await self._insert(prepared, given), len(given))
        await self._watched(compiled.sql, self._run_many(compiled, given))
        return Rows([], len(given))

    async def _insert(self, prepared: Prepared, rows: Sequence[Parameters]) -> list[Any]:
        """Insert rows, `ROWS_AT_ONCE` in each statement and the rest one by one. Return the rows of its RETURNING. Call
        it for no other statement: only an INSERT can write several rows at once and return them.
        """
        found: list[Any] = []
        whole = len(rows) - len(rows) % ROWS_AT_ONCE
        for first in range(0, whole, ROWS_AT_ONCE):
            insert, values = prepared.of_many(rows[first : first + ROWS_AT_ONCE])
            found += await self._execute(insert, values)
        for row in rows[whole:]:
            found += await self._execute(prepared, row)
        return found

    async def _run(self, compiled: DriverText, given: Parameters) -> Rows:
        if compiled.make_row is None:
            return Rows([], await self._change(compiled.sql, compiled.values(given)))
        rows = [compiled.make_row(row) for row in await self._fetch(compiled.sql, compiled.values(given))]
        return Rows(rows, len(rows))

    async def _run_many(self, compiled: DriverText, given: Sequence[Parameters]) -> None:
        await self._change_many(compiled.sql, [compiled.values(one) for one in given])

    async def _watched(self, sql: str, answer: Awaitable[T]) -> T:
        if not self.watchers:
            return await self._translated(sql, answer)
        with ExitStack() as watching:
            for watcher in self.watchers:
                watching.enter_context(watcher(self.dialect.name, sql))
            return await self._translated(sql, answer)

    async def _translated(self, sql: str, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except self.errors as error:
            raise as_sqlalchemy_error(error, sql, lost=self.lost) from error
        except OSError as error:
            self.os_error = error
            raise
        except (ValueError, TypeError, OverflowError) as error:  # the driver cannot send a value
            redact_driver_error(error)
            raise

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        """Run the block in a savepoint: a statement that fails undoes the block alone. Raises `DBAPIError`."""
        await self.control("SAVEPOINT nested")
        try:
            yield
        except exc.DBAPIError:
            await self.control("ROLLBACK TO SAVEPOINT nested")
            raise
        await self.control("RELEASE SAVEPOINT nested")

    async def control(self, sql: str) -> str:
        """Begin, end or divide a transaction. Return PostgreSQL's command tag, such as `COMMIT`, which says what it
        did; on SQLite, which has none, return `sql`. Raises `DBAPIError`.
        """
        return await self._translated(sql, self._control(sql))

    @abstractmethod
    async def _control(self, sql: str) -> str: ...

    @abstractmethod
    async def _change(self, sql: str, values: list[Any]) -> int:
        """Run a statement that returns no rows, and return how many rows it changed. Raises what the driver raises."""

    @abstractmethod
    async def _change_many(self, sql: str, rows: list[list[Any]]) -> None: ...

    @abstractmethod
    async def _fetch(self, sql: str, values: list[Any]) -> Iterable[Sequence[Any]]: ...

    @property
    @abstractmethod
    def lost(self) -> bool:
        """Return whether the connection cannot be used again: it is closed, or `hang_up` was called."""

    @abstractmethod
    def hang_up(self) -> None:
        """Give the connection up without waiting for the database, which may not answer: it is `lost` from now on."""


def as_sqlalchemy_error(error: Exception, sql: str = "", *, lost: bool = True) -> exc.DBAPIError:
    """Return the SQLAlchemy error for a driver's error in the statement `sql`, without any value of a row. `lost` says
    that the connection cannot be used again.
    """
    redact_driver_error(error)
    kind = next((kind for errors, kind in _SQLALCHEMY_ERRORS if isinstance(error, errors)), exc.DBAPIError)
    return kind(sql, None, error, hide_parameters=True, connection_invalidated=lost)


# The errors of both drivers, and the error that SQLAlchemy has for them.
_SQLALCHEMY_ERRORS: tuple[tuple[tuple[type[Exception], ...], type[exc.DBAPIError]], ...] = (
    ((asyncpg.IntegrityConstraintViolationError, sqlite3.IntegrityError), exc.IntegrityError),
    ((asyncpg.InterfaceError, asyncpg.InternalClientError, sqlite3.InterfaceError), exc.InterfaceError),
    ((sqlite3.OperationalError,), exc.OperationalError),
)


class PostgresqlConnection(DriverConnection):
    """A connection of asyncpg, which keeps the latest statements prepared, except behind a pooler."""

    begin_sql = "BEGIN"
    # asyncpg raises `InternalClientError` if the connection is cut during a statement.
    errors = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

    def __init__(self, dialect: Dialect, driver: asyncpg.Connection, generation: int) -> None:
        super().__init__(dialect, generation)
        self._driver = driver

    async def _control(self, sql: str) -> str:
        return str(await self._driver.execute(sql))

    async def _change(self, sql: str, values: list[Any]) -> int:
        status: str = await self._driver.execute(sql, *values)  # `UPDATE 1`; `INSERT 0 1`
        return int(status.rpartition(" ")[2])

    async def _change_many(self, sql: str, rows: list[list[Any]]) -> None:
        await self._driver.executemany(sql, rows)

    async def _fetch(self, sql: str, values: list[Any]) -> Iterable[Sequence[Any]]:
        found: Iterable[Sequence[Any]] = await self._driver.fetch(sql, *values)
        return found

    @property
    def lost(self) -> bool:
        return bool(self._driver.is_closed())

    def hang_up(self) -> None:
        self._driver.terminate()


class SqliteConnection(DriverConnection):
    """A connection of aiosqlite, which has its own thread: each statement crosses to it and back once."""

    begin_sql = "BEGIN IMMEDIATE"
    errors = (sqlite3.Error,)

    def __init__(self, dialect: Dialect, driver: aiosqlite.Connection, generation: int) -> None:
        super().__init__(dialect, generation)
        self._driver = driver
        self._given_up = False

    @property
    def lost(self) -> bool:
        return self._given_up

    async def _control(self, sql: str) -> str:
        await self._driver.execute_fetchall(sql)
        return sql

    async def _change(self, sql: str, values: list[Any]) -> int:
        # RETURNING counts the rows: asking the cursor for its rowcount would cross to the thread a second time.
        return len(list(await self._fetch(f"{sql} RETURNING 1", values)))

    async def _change_many(self, sql: str, rows: list[list[Any]]) -> None:
        await (await self._driver.executemany(sql, rows)).close()

    async def _fetch(self, sql: str, values: list[Any]) -> Iterable[Sequence[Any]]:
        return await self._driver.execute_fetchall(sql, values)

    def hang_up(self) -> None:
        self._given_up = True  # the pool then closes it, which rolls back its transaction
