"""Engines, and how the two databases are made to promise the same.

Transactions on SQLite begin with BEGIN IMMEDIATE and queue for one connection inside the process, so that
writers wait in line instead of failing; on PostgreSQL they are READ COMMITTED, where every decision is part of
a statement's WHERE. Single reads run in AUTOCOMMIT, which saves the BEGIN and the COMMIT around them.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, exc, text
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from vestibule.model.errors import StoreUnavailable
from vestibule.storage.sql import file_faults, sqlite_connections
from vestibule.storage.sql import url as addresses
from vestibule.storage.sql.breaker import Breaker
from vestibule.storage.sql.discretion import withhold_values


@dataclass(frozen=True)
class Timeouts:
    """How many seconds to wait for the database before calling it unavailable: for a free connection, for a new one,
    for a statement; and for a transaction, which is bounded also because the readers of revocations rely on none being
    longer than their overlap.
    """

    for_connection: float = 1.0
    to_connect: float = 2.0
    for_statement: float = 2.0
    for_transaction: float = 10.0


DEFAULT_TIMEOUTS = Timeouts()
UNHURRIED = Timeouts(for_connection=60.0, to_connect=10.0, for_statement=3600.0)
"""For a command that changes or reads all there is, and may wait for another one: an index of a large table takes
minutes.
"""
_AS_PATIENT_AS_IT_IS = -1.0
_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_TRAVEL_SECONDS = 0.5
"""How much longer than the database's own time-out a statement may take: after that, the link is dead."""
# The database itself drops a client that is silent for a minute, instead of keeping its connection for hours.
_DEAD_CLIENTS = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


# PostgreSQL's classes and codes for it (its manual, appendix A): connection, authorization, no such database,
# rolled back to resolve a conflict, read-only, resources, lock not to be had, operator's intervention, system.
_UNAVAILABLE = {"08", "28", "3D", "40", "25006", "53", "55", "57", "58"}
# Could not serialize, deadlock, foreign key violated (ibid.).
_CONFLICTS = {"40001", "40P01", "23503"}
# SQLITE_BUSY itself is not one of them: it comes after ten seconds in line, and trying again would double those.
_SQLITE_CONFLICTS = {
    sqlite3.SQLITE_BUSY_RECOVERY,
    sqlite3.SQLITE_BUSY_SNAPSHOT,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_LOCKED_SHAREDCACHE,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
}
_POSTGRESQL_PORT = 5432
_OURS = "SELECT 1 FROM sqlite_master WHERE name = 'vestibule_schema'"
WRITE_AHEAD = text("PRAGMA journal_mode = WAL")
"""Kept in the file, once it was said. Not within a transaction."""
# What a driver raises when the server is not there at all, before SQLAlchemy can wrap it.
_UNREACHABLE = (OSError, TimeoutError, exc.TimeoutError)


@dataclass(frozen=True)
class Engines:
    """The same database twice: for transactions, and for single reads. `dialect` is `sqlite` or `postgresql`.

    Behind a pooler a connection is ours for a transaction and no longer, so that nobody can listen on it.
    """

    writing: AsyncEngine
    single_reads: AsyncEngine
    behind_pooler: bool = False
    breaker: Breaker = field(default_factory=Breaker)
    timeouts: Timeouts = DEFAULT_TIMEOUTS

    @property
    def dialect(self) -> str:
        return self.writing.dialect.name

    @property
    def file(self) -> str | None:
        """The path of a SQLite file."""
        return self.writing.url.database if self.dialect == "sqlite" else None

    @property
    def folder(self) -> Path | None:
        """Where a SQLite file lies."""
        return Path(self.file).parent if self.file else None

    @property
    def place(self) -> tuple[Any, ...]:
        """Where the database is, however its address is written."""
        url = self.writing.url
        return (Path(self.file).resolve(),) if self.file else (url.host, url.port, url.database)

    @property
    def server(self) -> str | None:
        """The database server, for people: never with the user or the password. None for a file."""
        url = self.writing.url
        return None if self.file else f"{url.host or 'localhost'}:{url.port or _POSTGRESQL_PORT}"

    @property
    def exists(self) -> bool:
        """Whether there is a SQLite file yet; of a server, and of a closed folder, nobody can tell without asking."""
        try:
            return not self.file or Path(self.file).is_file()
        except OSError:
            return True

    @property
    def in_use(self) -> int:
        """How many connections are, at this moment."""
        return sum(pool.checkedout() for pool in self._pools)

    @property
    def most(self) -> int:
        """How many there may be."""
        return sum(pool.size() for pool in self._pools)

    @property
    def _pools(self) -> list[AsyncAdaptedQueuePool]:
        pools = {self.writing.pool, self.single_reads.pool}
        return [pool for pool in pools if isinstance(pool, AsyncAdaptedQueuePool)]

    @asynccontextmanager
    async def transaction(self, seconds: float | None = _AS_PATIENT_AS_IT_IS) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that is over when patience is, or after so many seconds; raises
        `StoreUnavailable`.
        """
        if seconds == _AS_PATIENT_AS_IT_IS:
            seconds = self.timeouts.for_transaction
        async with self._translated(), asyncio.timeout(seconds), self.writing.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose statements stand alone; raises `StoreUnavailable`."""
        async with self._translated(), self.single_reads.connect() as connection:
            yield connection

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        """Tell a database that cannot be asked from a mistake of ours: the first is a fault, the second a bug."""
        if not self.breaker.lets_through():
            raise StoreUnavailable("it could not be reached a moment ago", server=self.server)
        try:
            yield
            self.breaker.reached()
        except exc.DBAPIError as fault:
            if _out_of_reach(fault):
                self.breaker.unreachable()
            if wrong := self.file and file_faults.sentence(self.file, fault):
                raise StoreUnavailable(wrong, lasting=True) from fault
            conflict = _conflict(fault)
            if conflict or fault.connection_invalidated or _not_our_mistake(fault):
                why = str(fault.orig).rpartition(">: ")[2]
                raise StoreUnavailable(why, conflict=conflict, server=self.server) from fault
            raise
        except _UNREACHABLE as fault:
            if not isinstance(fault, exc.TimeoutError):  # which only says that all our connections are busy
                self.breaker.unreachable()
            raise StoreUnavailable(str(fault), server=self.server) from fault

    async def close(self) -> None:
        await self.writing.dispose()
        if self.single_reads.pool is not self.writing.pool:
            await self.single_reads.dispose()


def connect(address: str, pool_size: int = 10, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> Engines:
    """Engines for a database address. Nothing is opened yet; raises `url.WrongAddress`."""
    url, arguments = addresses.parse(address)
    if url.drivername.startswith("sqlite"):
        return _sqlite(url, timeouts)
    return _postgresql(url, arguments, pool_size, timeouts)


def _sqlite(url: URL, timeouts: Timeouts) -> Engines:
    # One writer at a time is what SQLite can do; waiting in our own line is fair, polling its lock is not.
    writing = _sqlite_engine(url, pool_size=1, wait_seconds=30.0)
    event.listen(writing.sync_engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    single_reads = _sqlite_engine(url, pool_size=4, wait_seconds=timeouts.for_connection)
    return Engines(writing, single_reads, timeouts=timeouts)


def _sqlite_engine(url: URL, pool_size: int, wait_seconds: float) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=wait_seconds,
        pool_reset_on_return="rollback" if pool_size == 1 else None,
        connect_args={"timeout": 10, "isolation_level": None, "async_creator_fn": sqlite_connections.connect},
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "handle_error", withhold_values)
    event.listen(engine.sync_engine, "do_connect", _make_file)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _make_file(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Make a file that is not there yet for its owner's eyes only; what SQLite puts beside it is like it.

    One that is there is never opened here: closing it again would drop the locks of this process's other connections
    (POSIX), and the next process to leave would take the write-ahead log away from under them.
    """
    with suppress(OSError):  # what is wrong with the place, SQLite says
        os.close(os.open(arguments[0], os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Nothing here writes to a file that has not our schema; `migrate` has it written ahead as soon as it has."""
    cursor = connection.cursor()
    try:
        cursor.execute(_OURS)
        if cursor.fetchone():
            cursor.execute(WRITE_AHEAD.text)
        cursor.execute("PRAGMA synchronous = FULL")  # committed means on the disk, also when the power fails
        cursor.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        connection.close()  # which nobody else knows of yet, nor of its thread
        raise
    cursor.close()


def _postgresql(url: URL, arguments: dict[str, Any], pool_size: int, timeouts: Timeouts) -> Engines:
    behind_pooler = arguments.pop("behind_pooler", False)
    given = arguments.pop("server_settings", {})
    settings = given if behind_pooler else _server_settings(timeouts) | given
    writing = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeouts.for_connection,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args={
            "timeout": timeouts.to_connect,
            "command_timeout": timeouts.for_statement + _TRAVEL_SECONDS,
            "server_settings": {"application_name": "vestibule", **settings},
            **(_NOTHING_PREPARED if behind_pooler else {}),
            **arguments,
        },
    )
    event.listen(writing.sync_engine, "connect", _read_any_moment)
    event.listen(writing.sync_engine, "handle_error", _hang_up_on_silence)
    event.listen(writing.sync_engine, "handle_error", withhold_values)
    # A pooler may change the connection between preparing a statement and running it, unless in a transaction.
    single_reads = writing if behind_pooler else writing.execution_options(isolation_level="AUTOCOMMIT")
    return Engines(writing, single_reads, behind_pooler=behind_pooler, timeouts=timeouts)


def _read_any_moment(connection: Any, _record: Any) -> None:
    """PostgreSQL knows moments that Python does not, years BC and infinity; one of them would fail the whole answer."""
    connection.run_async(
        lambda driver: driver.set_type_codec(
            "timestamptz", schema="pg_catalog", encoder=_to_microseconds, decoder=_from_microseconds, format="tuple"
        )
    )


def _to_microseconds(moment: datetime) -> tuple[int]:
    return ((moment - _EPOCH) // _MICROSECOND,)


def _from_microseconds(told: tuple[int]) -> datetime | str:
    try:
        return _EPOCH + told[0] * _MICROSECOND
    except OverflowError:
        return "no moment"


# A statement that was prepared on one connection of the pooler's is not there on the next; a nameless one lives no
# longer than the statement after it.
_NOTHING_PREPARED = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",
}


def _server_settings(timeouts: Timeouts) -> dict[str, str]:
    """What each connection asks of PostgreSQL. A pooler refuses these, because its connections are everybody's."""
    return {
        "statement_timeout": str(int(timeouts.for_statement * 1000)),
        "idle_in_transaction_session_timeout": "10000",
        **_DEAD_CLIENTS,
    }


def _hang_up_on_silence(context: ExceptionContext) -> None:
    """Say nothing more to a database that did not even answer that a statement took too long.

    Asking it to cancel the statement, to roll back, to end the connection would each wait for it once more.
    """
    if isinstance(context.original_exception, TimeoutError) and context.connection is not None:
        driver = context.connection.connection.driver_connection
        if driver is not None:
            driver.terminate()
        context.is_disconnect = True


def _out_of_reach(fault: exc.DBAPIError) -> bool:
    """Whether the database is starting or shutting down (57P03) and takes no connections."""
    return getattr(fault.orig, "sqlstate", None) == "57P03"


def _conflict(fault: exc.DBAPIError) -> bool:
    """Whether the transaction was ended for the sake of another, or refers to what was deleted meanwhile."""
    conflict = getattr(fault.orig, "sqlstate", None) in _CONFLICTS
    return conflict or getattr(fault.orig, "sqlite_errorcode", None) in _SQLITE_CONFLICTS


def _not_our_mistake(fault: exc.DBAPIError) -> bool:
    """Whether the database is busy, full, gone, read-only or shutting down, rather than asked something wrong."""
    sqlstate = getattr(fault.orig, "sqlstate", None)
    if sqlstate:
        return sqlstate[:2] in _UNAVAILABLE or sqlstate in _UNAVAILABLE
    if getattr(fault.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return False  # SQLite calls its own refusal of a statement operational too
    return isinstance(fault, exc.OperationalError | exc.InterfaceError)
