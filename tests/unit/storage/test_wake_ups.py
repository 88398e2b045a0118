"""`model.revocations.WakeUps` on PostgreSQL: each who asks is heard, and many at once cost little."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import World
from vestibule.storage.sql.wake_ups import CHANNEL, PostgresqlWakeUps


@asynccontextmanager
async def heard(world: World) -> AsyncIterator[list[str]]:
    """The notifications of the block, as a listener gets them."""
    got: list[str] = []
    listener = await asyncpg.connect(world.backend.database_url)
    try:
        await listener.add_listener(CHANNEL, lambda *_: got.append("one"))
        yield got
        await listener.execute("SELECT 1")  # whatever was committed before has arrived with the answer
    finally:
        await listener.close()


async def test_each_who_asks_is_heard(racing_world: World) -> None:
    wake_ups = PostgresqlWakeUps(racing_world.engines)
    async with heard(racing_world) as got:
        for _ in range(3):
            await wake_ups.send()
    assert len(got) == 3


async def test_many_at_once_are_told_together(racing_world: World) -> None:
    """By a notification that began after they asked: the first one may have left before the others' commits."""
    wake_ups = PostgresqlWakeUps(racing_world.engines)
    async with heard(racing_world) as got:
        await asyncio.gather(*(wake_ups.send() for _ in range(64)))
    assert len(got) == 2


async def test_one_that_is_cancelled_keeps_nobody_else_from_being_heard(racing_world: World) -> None:
    wake_ups = PostgresqlWakeUps(racing_world.engines)
    async with heard(racing_world) as got:
        first, second = (asyncio.create_task(wake_ups.send()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await second
    assert got


async def test_without_the_database_nobody_fails(racing_world: World) -> None:
    wake_ups = PostgresqlWakeUps(racing_world.engines)
    await racing_world.take_database_away()
    with capture_logs() as logged:
        await asyncio.gather(wake_ups.send(), wake_ups.send())
    assert {line["event"] for line in logged} == {"wake_up_not_sent"}


async def test_who_listens_is_woken(racing_world: World) -> None:
    wake_ups = PostgresqlWakeUps(racing_world.engines)
    listening = wake_ups.listen()
    woken = asyncio.ensure_future(anext(listening))
    async with asyncio.timeout(WAIT_SECONDS):
        while not woken.done():  # LISTEN may come after the first
            await wake_ups.send()
    woken.result()
    await listening.aclose()  # type: ignore[attr-defined]
