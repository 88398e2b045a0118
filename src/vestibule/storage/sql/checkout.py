"""Take driver connections out of SQLAlchemy's pools, and return them in a state that the next caller can use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from vestibule.storage.sql.driver import DriverConnection, PostgresqlConnection, SqliteConnection, as_sqlalchemy_error

_DRIVER_CONNECTION = "driver_connection"
"""Key in a pooled connection's `info`, where SQLAlchemy lets others keep what belongs to the connection."""


class Checkouts:
    """The driver connections of one engine. When a connection breaks, those opened before are replaced when they are
    next taken: the server they lead to may be gone.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._kind = SqliteConnection if engine.dialect.name == "sqlite" else PostgresqlConnection
        self._generation = 0
        event.listen(engine.sync_engine, "checkout", self._require_sound)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[DriverConnection]:
        """Yield a connection in autocommit. Closes it abruptly if the task is cancelled or the database does not answer
        in time. Raises `DBAPIError`, and OSError or `sqlalchemy.exc.TimeoutError` if no connection can be had.
        """
        pooled, connection = await self._take()
        try:
            yield connection
        except Exception as fault:
            if isinstance(fault, TimeoutError):
                connection.hang_up()  # it is `lost` from now on
            if connection.lost:
                self._generation = max(self._generation, connection.generation + 1)
            raise
        except BaseException:
            connection.hang_up()
            raise
        finally:
            _give_back(pooled, connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[DriverConnection]:
        """Yield a connection in a transaction: commit at the end of the block, roll back if it raises. Raises as
        `connection` and `_commit` do.
        """
        async with self.connection() as connection:
            await connection.control(connection.begin_sql)
            try:
                yield connection
                await _commit(connection)
            except Exception as fault:
                await _roll_back(connection, fault)
                raise

    async def _take(self) -> tuple[PoolProxiedConnection, DriverConnection]:
        try:
            pooled = await self._engine.raw_connection()
        except (self._engine.dialect.loaded_dbapi.Error, *self._kind.errors) as error:
            raise as_sqlalchemy_error(_driver_error(error)) from error
        connection: DriverConnection = pooled.info[_DRIVER_CONNECTION]
        return pooled, connection

    def _require_sound(self, adapted: Any, record: ConnectionPoolEntry, _pooled: Any) -> None:
        """Make the `DriverConnection` of a new pooled connection; `adapted` is SQLAlchemy's wrapper of the driver's.
        Raise `DisconnectionError` for a pooled connection that is closed, or was opened before another one broke: the
        pool then opens a new connection in its place.
        """
        connection = record.info.get(_DRIVER_CONNECTION)
        if connection is None:
            record.info[_DRIVER_CONNECTION] = self._kind(
                self._engine.dialect, adapted.driver_connection, self._generation
            )
        elif connection.lost or connection.generation < self._generation:
            connection.hang_up()  # if the pool closed it, that would wait for a server that may be gone
            raise exc.DisconnectionError


def _give_back(pooled: PoolProxiedConnection, connection: DriverConnection) -> None:
    if connection.lost:
        pooled.invalidate()
    # This never waits for the database, so it needs no await: on PostgreSQL, SQLAlchemy knows no transaction to roll
    # back; on SQLite, the pool resets nothing.
    pooled.close()


def _driver_error(error: Exception) -> Exception:
    """Return the driver's error that SQLAlchemy's adapter wrapped; the error itself if it wrapped none."""
    return error.__cause__ if isinstance(error.__cause__, Exception) else error


async def _commit(connection: DriverConnection) -> None:
    """Commit. Raises `InvalidRequestError` if PostgreSQL rolled back instead, which it answers without an error.
    On SQLite, `control` returns the statement itself.
    """
    if await connection.control("COMMIT") != "COMMIT":
        raise exc.InvalidRequestError("a statement of this transaction had failed, so that nothing was kept")


async def _roll_back(connection: DriverConnection, fault: Exception) -> None:
    """Roll back. If the database did not answer in time, it is not asked again: the connection is closed, which rolls
    back.
    """
    if connection.lost or isinstance(fault, TimeoutError):
        return
    try:
        await connection.control("ROLLBACK")
    except Exception:  # the connection must not be reused, and the first fault is the one to raise
        connection.hang_up()
