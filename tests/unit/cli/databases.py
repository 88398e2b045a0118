"""Databases on a PostgreSQL server that no command can use, each in its own way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import asyncpg

from tests.harness import backends, servers
from tests.harness.backends import postgresql_database
from tests.unit.cli.plain import SECRET
from vestibule.crypto.entropy import random_bytes


@dataclass(frozen=True)
class Databases:
    """Their URLs. `good` has the newest schema; `server` is host and port."""

    good: str
    empty: str
    older: str
    newer: str
    missing: str
    locked: str
    forbidden: str


@contextmanager
def on_a_server() -> Iterator[Databases]:
    """All of them; gone afterwards."""
    with asyncio.Runner() as runner:
        making = _made()
        made = runner.run(making.__aenter__())
        try:
            yield made
        finally:
            runner.run(making.__aexit__(None, None, None))


@asynccontextmanager
async def _made() -> AsyncIterator[Databases]:
    template, server = backends.postgresql_template(), servers.postgresql()
    name, host = random_bytes(8).hex(), server.rpartition("@")[2]
    locked, forbidden = f"locked_{name}", f"forbidden_{name}"
    async with (
        postgresql_database(template) as good,
        postgresql_database() as empty,
        postgresql_database(template) as older,
        postgresql_database(template) as newer,
    ):
        await _do(older, "UPDATE vestibule_schema SET version_num = '0014'")
        await _do(newer, "UPDATE vestibule_schema SET version_num = '9999'")
        await _do(good, f"CREATE ROLE {locked} LOGIN PASSWORD 'another'", f"CREATE ROLE {forbidden} LOGIN")
        database = good.rpartition("/")[2]
        yield Databases(
            good=good,
            empty=empty,
            older=older,
            newer=newer,
            missing=f"{server}/no_such_database",
            locked=f"postgresql://{locked}:{SECRET}@{host}/{database}",
            forbidden=f"postgresql://{forbidden}:{SECRET}@{host}/{database}",
        )
        await _do(good, f"DROP ROLE {locked}", f"DROP ROLE {forbidden}")


async def _do(address: str, *statements: str) -> None:
    connection = await asyncpg.connect(address)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()
