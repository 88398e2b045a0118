"""Connections from the pool after one of them broke: what is opened in its place, and what is left when that fails."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import event

from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import World
from tests.unit.storage.test_store import _end_all_connections
from vestibule.model.errors import StoreUnavailable
from vestibule.storage.sql.engine import Engines

CONNECTIONS = 4


async def test_a_connection_that_broke_is_replaced_by_one(racing_world: World) -> None:
    await _break_one(racing_world)
    opened: list[Any] = []
    with _as_each_opens(racing_world.engines, opened.append):
        await _ask(racing_world.engines)
    assert len(opened) == 1


async def test_a_server_that_ends_what_it_has_just_opened_is_unavailable(racing_world: World) -> None:
    def end(connection: Any) -> None:
        with suppress(Exception):
            connection.run_async(lambda driver: driver.execute("SELECT pg_terminate_backend(pg_backend_pid())"))

    engines = racing_world.engines
    await _break_one(racing_world)
    with _as_each_opens(engines, end):
        for _ in range(CONNECTIONS):
            with pytest.raises(StoreUnavailable):
                await _ask(engines)
    await _ask(engines)


async def test_a_checkout_that_is_cancelled_after_a_break_takes_no_connection_away(racing_world: World) -> None:
    engines, opening, never = racing_world.engines, asyncio.Semaphore(0), asyncio.Event()

    async def wait() -> None:
        opening.release()
        await never.wait()

    await asyncio.gather(*(_ask(engines) for _ in range(CONNECTIONS)))
    await _break_one(racing_world)
    with _as_each_opens(engines, lambda connection: connection.run_async(lambda _: wait())):
        asking = [asyncio.create_task(_ask(engines)) for _ in range(CONNECTIONS)]
        for _ in asking:
            await opening.acquire()
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    assert engines.connections_in_use == 0
    together = asyncio.Barrier(engines.connections_limit)
    async with asyncio.timeout(WAIT_SECONDS):
        await asyncio.gather(*(_ask(engines, together) for _ in range(engines.connections_limit)))


async def _break_one(world: World) -> None:
    with pytest.raises(StoreUnavailable):
        await _be_cut_off(world)


async def _be_cut_off(world: World) -> None:
    async with world.engines.transaction() as connection:
        await _end_all_connections(world.backend)
        await connection.control("SELECT 1")


async def _ask(engines: Engines, together: asyncio.Barrier | None = None) -> None:
    async with engines.reading() as connection:
        await connection.control("SELECT 1")
        if together is not None:
            await together.wait()


@contextmanager
def _as_each_opens(engines: Engines, do: Any) -> Iterator[None]:
    """Call `do` with each connection that is opened inside the block."""

    def opened(connection: Any, _record: Any) -> None:
        do(connection)

    event.listen(engines.writing.sync_engine, "connect", opened)
    try:
        yield
    finally:
        event.remove(engines.writing.sync_engine, "connect", opened)
