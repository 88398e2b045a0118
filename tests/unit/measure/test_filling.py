"""The database of `make capacity`: filled without indexes, and afterwards as migrations make it."""

from pathlib import Path

import asyncpg

from measure.capacity.fill import REVOCATION_EVERY, SESSION_EVERY, account_id_of, fill, session_id_of
from tests.harness.backends import POSTGRESQL, fresh

SHAPE = """SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL
    SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1"""


async def test_a_database_that_is_filled_in_steps_has_every_index_and_constraint_that_it_had(tmp_path: Path) -> None:
    told: list[int] = []
    async with fresh(POSTGRESQL, tmp_path) as backend:
        connection = await asyncpg.connect(backend.database_url)
        before = await connection.fetch(SHAPE)
        await fill(backend.database_url, 0, 100, told.append)
        await fill(backend.database_url, 100, 500, told.append)
        assert await connection.fetch(SHAPE) == before
        assert len(before) > 30
        assert told == [100, 400]
        for table, every in (("accounts", 1), ("sessions", SESSION_EVERY), ("revocations", REVOCATION_EVERY)):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 500 // every
        [session] = await connection.fetch("SELECT account_id FROM sessions WHERE id = $1", session_id_of(430))
        assert session["account_id"] == account_id_of(430)
        await connection.close()
