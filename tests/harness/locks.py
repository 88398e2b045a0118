"""Wait until connections to PostgreSQL wait for a lock."""

import asyncio

from sqlalchemy import text

from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import World

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def until_waiting(world: World, count: int = 1) -> None:
    """Return once `count` connections to the world's database wait for a lock."""
    async with asyncio.timeout(WAIT_SECONDS), world.engines.sqlalchemy_reading() as connection:
        while (await connection.execute(_WAITING)).scalar_one() < count:
            pass
