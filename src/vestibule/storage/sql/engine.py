"""Create SQLAlchemy's engines, and make both databases give the same guarantees.

Transactions on SQLite begin with BEGIN IMMEDIATE and queue for one connection inside the process, so that writers wait
in line instead of failing. Transactions on PostgreSQL are READ COMMITTED: that is enough, because a decision is part of
a statement's WHERE, or is made while the row that it depends on is locked. Single reads run in AUTOCOMMIT, which saves
the BEGIN and the COMMIT around them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from vestibule.model.errors import StoreUnavailable
from vestibule.process.system_faults import reason
from vestibule.storage.sql import file_faults, postgresql, server_faults, sqlite
from vestibule.storage.sql import url as addresses
from vestibule.storage.sql.breaker import Breaker
from vestibule.storage.sql.checkout import Checkouts
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.driver_faults import driver_message, is_conflict, is_out_of_reach, is_unavailable
from vestibule.storage.sql.sqlite_connections import SqliteConnections
from vestibule.storage.sql.timeouts import DEFAULT_TIMEOUTS, DatabaseTimeouts

_DEFAULT_SECONDS = -1.0  # stands for the timeout of transactions; None is no timeout


class _BlockFaults:
    """Keeps OSErrors of the caller's block, such as a full disk, apart from the database's, which open the breaker."""

    own: OSError | None = None

    @contextmanager
    def kept_apart(self, connection: DriverConnection) -> Iterator[None]:
        """Remember an OSError that the block raised, and not the driver."""
        try:
            yield
        except OSError as fault:
            if fault is not connection.os_error:
                self.own = fault
            raise


@dataclass(frozen=True)
class Engines:
    """Two engines of one database: for transactions and for single reads. `dialect` is `sqlite` or `postgresql`.

    Behind a pooler each transaction may get another connection of the server, so no process can LISTEN.
    """

    writing: AsyncEngine
    single_reads: AsyncEngine
    behind_pooler: bool = False
    breaker: Breaker = field(default_factory=Breaker)
    timeouts: DatabaseTimeouts = DEFAULT_TIMEOUTS
    sqlite_connections: SqliteConnections = field(default_factory=SqliteConnections)

    @property
    def dialect(self) -> str:
        return self.writing.dialect.name

    @property
    def file(self) -> str | None:
        """Return the path of the SQLite file; None on PostgreSQL."""
        return self.writing.url.database if self.dialect == "sqlite" else None

    @property
    def folder(self) -> Path | None:
        """Return the folder of the SQLite file; None on PostgreSQL."""
        return Path(self.file).parent if self.file else None

    @property
    def location(self) -> tuple[Any, ...]:
        """Return where the database is, for comparison: the same however its address is written."""
        url = self.writing.url
        return (Path(self.file).resolve(),) if self.file else (url.host, url.port, url.database)

    @property
    def server(self) -> str | None:
        """Return host and port of the server, without user or password; None for a file."""
        url = self.writing.url
        return None if self.file else f"{url.host or 'localhost'}:{url.port or addresses.DEFAULT_PORT}"

    @property
    def exists(self) -> bool:
        """Return whether the SQLite file exists; True for a server, or a folder that this user cannot read."""
        try:
            return not self.file or Path(self.file).is_file()
        except OSError:
            return True

    @property
    def connections_in_use(self) -> int:
        """Return the number of connections in use now."""
        return sum(pool.checkedout() for pool in self._pools)

    @property
    def connections_limit(self) -> int:
        """Return the highest number of connections: the pools have no overflow (`max_overflow=0`)."""
        return sum(pool.size() for pool in self._pools)

    @property
    def _pools(self) -> list[AsyncAdaptedQueuePool]:
        pools = {self.writing.pool, self.single_reads.pool}
        return [pool for pool in pools if isinstance(pool, AsyncAdaptedQueuePool)]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[DriverConnection]:
        """Yield the driver's connection in a transaction. Raises `StoreUnavailable`."""
        writing, _ = self._checkouts
        time_limit = asyncio.timeout(self.timeouts.for_transaction)
        async with self._translated() as block, time_limit, writing.transaction() as connection:
            with block.kept_apart(connection):
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[DriverConnection]:
        """Yield the driver's connection in autocommit; behind a pooler, in a transaction. Raises `StoreUnavailable`."""
        _, reads = self._checkouts
        opened = reads.transaction() if self.behind_pooler else reads.connection()
        async with self._translated() as block, opened as connection:
            with block.kept_apart(connection):
                yield connection

    def single_statements(self) -> AbstractAsyncContextManager[DriverConnection]:
        """Open the driver's connection for changes of one statement each: in autocommit, as `reading` does; in a
        transaction on SQLite, where writers wait in line, and behind a pooler. Raises `StoreUnavailable`.
        """
        return self.transaction() if self.file or self.behind_pooler else self.reading()

    @cached_property
    def _checkouts(self) -> tuple[Checkouts, Checkouts]:
        """Return the checkouts for transactions and those for single reads; the same if the engines share a pool."""
        writing = Checkouts(self.writing)
        if self.single_reads.pool is self.writing.pool:
            return writing, writing
        return writing, Checkouts(self.single_reads)

    @asynccontextmanager
    async def sqlalchemy_transaction(self, seconds: float | None = _DEFAULT_SECONDS) -> AsyncIterator[AsyncConnection]:
        """Yield SQLAlchemy's connection in a transaction that ends after `seconds`: by default the timeout for
        transactions, never if None. Raises `StoreUnavailable`.
        """
        if seconds == _DEFAULT_SECONDS:
            seconds = self.timeouts.for_transaction
        async with self._translated(), asyncio.timeout(seconds), self.writing.begin() as connection:
            yield connection

    @asynccontextmanager
    async def sqlalchemy_reading(self) -> AsyncIterator[AsyncConnection]:
        """Yield SQLAlchemy's connection in autocommit; raises `StoreUnavailable`."""
        async with self._translated(), self.single_reads.connect() as connection:
            yield connection

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[_BlockFaults]:
        """Raise `StoreUnavailable` if the database cannot be asked; let errors through that are bugs of ours, or of the
        caller's block. If the block raises, the database does not count as reached: it may not have been asked.
        """
        block = _BlockFaults()
        if not self.breaker.lets_through():
            raise StoreUnavailable(self.breaker.why, server=self.server)
        try:
            yield block
            self.breaker.reached()
        except exc.DBAPIError as fault:
            unavailable = self._as_unavailable(fault)
            if unavailable is None:
                raise
            raise unavailable from fault
        except exc.TimeoutError as fault:
            raise StoreUnavailable("all connections of this process are in use", server=self.server) from fault
        except OSError as fault:  # the server is not there at all, or silent: a time limit's TimeoutError is one too
            if fault is block.own:
                raise
            raise self._as_silent(fault) from fault

    def _as_unavailable(self, fault: exc.DBAPIError) -> StoreUnavailable | None:
        """Return what to raise if the database cannot serve us now, and open the breaker if it is out of reach; None if
        the fault is a bug of ours.
        """
        remedy = self._remedy(fault)
        if is_out_of_reach(fault):
            self.breaker.unreachable(remedy or driver_message(fault))
        if remedy:
            return StoreUnavailable(remedy, lasting=True, server=self.server)
        conflict = is_conflict(fault)
        if conflict or fault.connection_invalidated or is_unavailable(fault):
            return StoreUnavailable(driver_message(fault), conflict=conflict, server=self.server)
        return None

    def _as_silent(self, fault: OSError) -> StoreUnavailable:
        """Open the breaker, and return what to raise."""
        no_tls = server_faults.no_tls(self.server, fault)
        why = no_tls or self._why_silent(fault) or reason(fault) or str(fault)
        self.breaker.unreachable(why)
        return StoreUnavailable(why, lasting=no_tls is not None, server=self.server)

    def _remedy(self, fault: exc.DBAPIError) -> str | None:
        """Return what an operator has to repair; None if the fault may pass, or is a bug of ours."""
        if self.file:
            return file_faults.sentence(self.file, fault)
        return server_faults.sentence(self.writing.url, self.server, fault)

    def _why_silent(self, fault: OSError) -> str | None:
        """Return why a SQLite file did not answer in time; None for other faults."""
        return file_faults.no_answer(self.file) if self.file and isinstance(fault, TimeoutError) else None

    async def close(self) -> None:
        """Close the connections, and wait for the threads of those that were closed abruptly."""
        await self.writing.dispose()
        if self.single_reads.pool is not self.writing.pool:
            await self.single_reads.dispose()
        await self.sqlite_connections.join()


def connect(address: str, pool_size: int = 10, timeouts: DatabaseTimeouts = DEFAULT_TIMEOUTS) -> Engines:
    """Return the engines for a database address, without opening a connection. Raises `addresses.WrongAddress`."""
    url, arguments = addresses.parse(address)
    if url.drivername.startswith("sqlite"):
        connections = SqliteConnections()
        return Engines(*sqlite.engines(url, timeouts, connections), timeouts=timeouts, sqlite_connections=connections)
    behind_pooler = arguments.pop("behind_pooler", False)
    both = postgresql.engines(url, arguments, pool_size, timeouts, behind_pooler=behind_pooler)
    return Engines(*both, behind_pooler=behind_pooler, timeouts=timeouts)
