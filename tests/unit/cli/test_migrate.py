"""`vestibule migrate`: from nothing, again, several at once, and onto what it must not touch."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from tests.harness import servers
from tests.harness.process import complaint, run
from vestibule.storage.sql.migrate import ADVISORY_LOCK
from vestibule.storage.sql.schema import REVISION
from vestibule.storage.sql.timeouts import DEFAULT_TIMEOUTS

TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = $1"
LONG_WAITING = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
AND clock_timestamp() - query_start > make_interval(secs => $1)"""


async def tables(address: str, schema: str = "public") -> int:
    """How many tables there are."""
    connection = await asyncpg.connect(address)
    try:
        return int(await connection.fetchval(TABLES, schema))
    finally:
        await connection.close()


async def test_from_nothing_and_again(empty_database: str, tmp_path: Path) -> None:
    first = run(tmp_path, "migrate", DATABASE_URL=empty_database)
    assert first.returncode == 0, first.stderr
    assert f"Migrated to {REVISION}" in first.stderr
    made = await tables(empty_database)
    again = run(tmp_path, "migrate", DATABASE_URL=empty_database)
    assert again.returncode == 0, again.stderr
    assert "up to date" in again.stderr
    assert await tables(empty_database) == made > 5


def test_three_at_once_wait_for_one_another(empty_database: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as racers:
        done = list(racers.map(lambda _: run(tmp_path, "migrate", DATABASE_URL=empty_database), range(3)))
    said = [racer.stderr for racer in done]
    assert [racer.returncode for racer in done] == [0, 0, 0], said
    assert sum(f"Migrated to {REVISION}" in words for words in said) == 1
    assert sum("up to date" in words for words in said) == 2


async def test_it_is_waited_for_longer_than_a_request_may_take(empty_database: str, tmp_path: Path) -> None:
    """As an index of a large table is, or another machine's migration."""
    other = await asyncpg.connect(empty_database)
    try:
        await other.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
        migrating = asyncio.create_task(asyncio.to_thread(run, tmp_path, "migrate", DATABASE_URL=empty_database))
        while not await other.fetchval(LONG_WAITING, DEFAULT_TIMEOUTS.for_statement + 2):
            assert not migrating.done(), migrating.result().stderr
        await other.execute("SELECT pg_advisory_unlock($1)", ADVISORY_LOCK)
        assert (await migrating).returncode == 0
    finally:
        await other.close()


async def test_into_the_schema_that_the_address_names(empty_database: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(empty_database)
    await connection.execute("CREATE SCHEMA auth")
    await connection.close()
    done = run(tmp_path, "migrate", DATABASE_URL=f"{empty_database}?schema=auth")
    assert done.returncode == 0, done.stderr
    assert await tables(empty_database, "auth") > 5
    assert await tables(empty_database) == 0


def test_the_embedded_database_too(tmp_path: Path) -> None:
    assert f"Migrated to {REVISION}" in run(tmp_path, "migrate").stderr
    assert "up to date" in run(tmp_path, "migrate").stderr
    assert [path.name for path in (tmp_path / "vestibule-data").glob("*.sqlite3")] == ["vestibule.sqlite3"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"postgresql://ada:hush-hush@127.0.0.1:{servers.free_port()}/vestibule", 1),
        ("sqlite:////no/such/folder/x.sqlite3", 2),
    ],
    ids=["nobody listens", "no such folder"],
)
def test_a_database_out_of_reach_is_one_line(address: str, status: int, tmp_path: Path) -> None:
    refused = run(tmp_path, "migrate", DATABASE_URL=address)
    assert refused.returncode == status
    assert complaint(refused.stderr).startswith("DATABASE_URL: ")
    assert "hush-hush" not in refused.stderr
