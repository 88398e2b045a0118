"""Lives, and is ready: what a supervisor and a balancer are told, in each kind of trouble."""

import asyncio
import signal

import pytest
from sqlalchemy import text

from tests.harness.world import World
from vestibule.flows.be_ready import check_schema, hindrances
from vestibule.process.signals import LEAVE
from vestibule.state.readiness import Hindrance
from vestibule.storage.sql.schema import REVISION
from vestibule.wiring import background

LIVE, READY, CONTRACT = "/healthz/live", "/healthz/ready", "/api/healthchecker"


async def statuses(world: World) -> list[int]:
    client = await world.client(origin=None)
    return [(await client.get(path)).status_code for path in (LIVE, READY, CONTRACT)]


async def migrate_to(world: World, revision: str) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("UPDATE vestibule_schema SET version_num = :v"), {"v": revision})


async def test_a_server_that_is_well(world: World) -> None:
    assert await statuses(world) == [200, 200, 200]


async def test_the_database_is_away_for_too_long(world: World) -> None:
    await world.take_database_away()
    world.clock.advance(seconds=5)
    assert await statuses(world) == [200, 200, 200]
    world.clock.advance(seconds=1)
    assert await statuses(world) == [200, 503, 200]
    assert hindrances(world.env) == [Hindrance.DATABASE_AWAY]


async def test_h12_nobody_is_told_what_is_wrong(world: World) -> None:
    world.clock.advance(seconds=6)
    refused = await (await world.client()).get(READY)
    assert refused.json() == {
        "status": "error",
        "code": "not_ready",
        "message": "Vestibule is not ready here; its log says why",
    }
    assert refused.headers["retry-after"] == "1"


async def test_another_version_has_migrated_the_database(world: World) -> None:
    await migrate_to(world, "9999")
    await check_schema(world.env)
    assert await statuses(world) == [200, 503, 200]
    assert hindrances(world.env) == [Hindrance.OTHER_SCHEMA]
    await migrate_to(world, REVISION)
    await check_schema(world.env)
    assert await statuses(world) == [200, 200, 200]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, LEAVE])
async def test_a_process_that_is_told_to_stop_is_not_ready(world: World, number: signal.Signals) -> None:
    before = signal.signal(number, lambda *_: None)
    try:
        async with background.running(world.env):
            assert await statuses(world) == [200, 200, 200]
            signal.raise_signal(number)
            await asyncio.sleep(0)  # for the loop to hear of it
            assert await statuses(world) == [200, 503, 200]
            assert hindrances(world.env) == [Hindrance.DRAINING]
    finally:
        signal.signal(number, before)
