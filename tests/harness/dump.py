"""Read everything that a Vestibule has stored, as a thief with a copy of the database and of Redis would."""

from typing import Any

from redis.asyncio import Redis
from sqlalchemy import Connection, inspect, text

from tests.harness.world import World

Tables = dict[str, list[tuple[Any, ...]]]


async def tables(world: World) -> Tables:
    """Return every row of every table, by table."""
    async with world.engines.sqlalchemy_reading() as connection:
        names = await connection.run_sync(_table_names)
        rows = {name: await connection.execute(text(f'SELECT * FROM "{name}"')) for name in names}
        return {name: [tuple(row) for row in result] for name, result in rows.items()}


async def replicated(world: World) -> dict[str, Any]:
    """Return every string in Redis, by key; nothing if the backend has no Redis."""
    if not world.backend.redis_url:
        return {}
    async with Redis.from_url(world.backend.redis_url, decode_responses=True) as redis:
        return {key: await redis.get(key) async for key in redis.scan_iter() if await redis.type(key) == "string"}


def _table_names(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()
