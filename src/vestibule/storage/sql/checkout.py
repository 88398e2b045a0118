"""Take a connection of the driver's out of a pool, and bring it back such that the next one can use it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from vestibule.storage.sql.driver import DriverConnection, PostgresqlConnection, SqliteConnection, as_core_says


class Checkouts:
    """The connections of one engine. Once one of them broke, those that were opened before it are not given out
    either: where they lead to, nobody may be any more.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._kind = SqliteConnection if engine.dialect.name == "sqlite" else PostgresqlConnection
        self._one_broke = False
        event.listen(engine.sync_engine, "checkout", self._require_sound)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[DriverConnection]:
        """Give a connection whose statements stand alone. It is hung up when its task is cancelled in the middle of
        something, and when nobody answers at its other end.
        """
        pooled, connection = await self._take()
        try:
            yield connection
        except Exception as fault:
            if isinstance(fault, TimeoutError):
                connection.hang_up()
            self._one_broke = self._one_broke or connection.lost
            raise
        except BaseException:
            connection.hang_up()
            raise
        finally:
            await self._give_back(pooled, connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[DriverConnection]:
        """Give a connection in a transaction: kept when the block is left, void when it fails."""
        async with self.connection() as connection:
            await connection.control(connection.begin)
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
            raise as_core_says(_of_the_driver(error)) from error
        driver: Any = pooled.driver_connection
        return pooled, self._kind(self._engine.dialect, driver)

    async def _give_back(self, pooled: PoolProxiedConnection, connection: DriverConnection) -> None:
        if connection.lost:
            pooled.invalidate()
        await greenlet_spawn(pooled.close)

    def _require_sound(self, adapted: Any, _record: Any, _pooled: Any) -> None:
        """Pool event: let the pool open new connections, where those it has may lead nowhere."""
        lost = self._kind(self._engine.dialect, adapted.driver_connection).lost
        if self._one_broke or lost:
            self._one_broke = False
            raise exc.InvalidatePoolError


def _of_the_driver(error: Exception) -> Exception:
    """What SQLAlchemy's adapter has wrapped."""
    return error.__cause__ if isinstance(error.__cause__, Exception) else error


async def _commit(connection: DriverConnection) -> None:
    """Keep what was done; raises `InvalidRequestError` where PostgreSQL answers, without an error, that it did not."""
    if await connection.control("COMMIT") != "COMMIT":
        raise exc.InvalidRequestError("a statement of this transaction had failed, so that nothing was kept")


async def _roll_back(connection: DriverConnection, fault: Exception) -> None:
    """Void a transaction, or hang up, which voids it too: a database that did not answer in time is not asked again."""
    if connection.lost or isinstance(fault, TimeoutError):
        return
    try:
        await connection.control("ROLLBACK")
    except Exception:  # whatever it is, nobody may have this connection next; the first fault is what is told
        connection.hang_up()
