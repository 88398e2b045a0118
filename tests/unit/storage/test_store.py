"""`model.store.Store`: transactions that are over when they are over, and databases that cannot be asked."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.harness import servers
from tests.harness.backends import Backend
from tests.harness.world import World
from tests.unit.storage import an_account
from vestibule.crypto.entropy import random_bytes
from vestibule.model.errors import StoreUnavailable
from vestibule.model.store import Store
from vestibule.storage.sql import engine
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.store import SqlStore

ADA = an_account()


async def test_what_a_block_did_is_seen_once_it_has_ended(world: World) -> None:
    store = world.env.store
    async with store.transaction() as tx:
        await tx.accounts.add(ADA)
        assert await tx.accounts.get(ADA.id) == ADA
        async with store.reading() as elsewhere:
            assert await elsewhere.accounts.get(ADA.id) is None
    async with store.reading() as elsewhere:
        assert await elsewhere.accounts.get(ADA.id) == ADA


@pytest.mark.parametrize("fault", [ZeroDivisionError, asyncio.CancelledError, KeyboardInterrupt])
async def test_a_block_that_raises_did_nothing(world: World, fault: type[BaseException]) -> None:
    store = world.env.store
    with pytest.raises(fault):
        await _write_and_raise(store, fault)
    async with store.reading() as read:
        assert await read.accounts.get(ADA.id) is None
    async with store.transaction() as tx:
        assert await tx.accounts.add(ADA)


async def test_a_database_that_is_there_answers_a_ping(world: World) -> None:
    await world.env.store.ping()


async def ping(store: Store) -> None:
    await store.ping()


async def read(store: Store) -> None:
    async with store.reading() as one:
        await one.accounts.get(ADA.id)


async def write(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.accounts.add(ADA)


@pytest.mark.parametrize("ask", [ping, read, write])
@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
async def test_a_database_that_is_not_there_is_unavailable(
    ask: Callable[[Store], Awaitable[None]], kind: str, tmp_path: Path
) -> None:
    nowhere = {
        "postgresql": f"postgresql://postgres@127.0.0.1:{servers.free_port()}/nothing",
        "sqlite": f"sqlite:///{tmp_path}/no/such/folder/file.sqlite3",
    }
    async with _engines(nowhere[kind]) as engines:
        with pytest.raises(StoreUnavailable):
            await ask(SqlStore(engines))


async def test_a_connection_that_is_cut_off_is_unavailable_and_the_next_one_works(racing_world: World) -> None:
    store = racing_world.env.store
    with pytest.raises(StoreUnavailable):
        await _write_and_be_cut_off(racing_world, then_read=True)
    async with store.reading() as read:
        assert await read.accounts.get(ADA.id) is None
    async with store.transaction() as tx:
        assert await tx.accounts.add(ADA)


async def test_a_commit_that_is_cut_off_is_unavailable(racing_world: World) -> None:
    store = racing_world.env.store
    with pytest.raises(StoreUnavailable):
        await _write_and_be_cut_off(racing_world, then_read=False)
    async with store.reading() as read:
        assert await read.accounts.get(ADA.id) is None


async def test_a_database_that_accepts_nobody_for_a_while_is_unavailable_until_it_does(postgresql: Backend) -> None:
    name = postgresql.database_url.rpartition("/")[2]
    async with _engines(postgresql.database_url) as engines:
        store = SqlStore(engines)
        await store.ping()
        await _on_server(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await _end_all_connections(postgresql)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await store.ping()
        await _on_server(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await store.ping()


async def test_a_server_with_too_many_clients_is_unavailable(postgresql: Backend) -> None:
    role = f"r_{random_bytes(8).hex()}"
    await _on_server(f"CREATE ROLE {role} LOGIN PASSWORD '{role}' CONNECTION LIMIT 1")
    try:
        server = postgresql.database_url.rpartition("@")[2]
        async with _engines(f"postgresql://{role}:{role}@{server}") as engines:
            async with engines.sqlalchemy_reading():
                with pytest.raises(StoreUnavailable):
                    await SqlStore(engines).ping()
            await SqlStore(engines).ping()
    finally:
        await _on_server(f"DROP ROLE {role}")


async def test_a_pool_without_a_free_connection_is_unavailable(postgresql: Backend) -> None:
    async with _engines(postgresql.database_url, pool_size=1) as engines:
        async with engines.sqlalchemy_reading():
            with pytest.raises(StoreUnavailable):
                await SqlStore(engines).ping()
        await SqlStore(engines).ping()


STATEMENTS_GIVEN_UP = {
    "a statement that takes too long": "SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)",
    "a lock that is not to be had": "SET LOCAL lock_timeout = 20; SELECT pg_advisory_xact_lock(1)",
    "a statement that is cancelled": "SELECT pg_cancel_backend(pg_backend_pid())",
    "a database that only reads, after a failover": "SET TRANSACTION READ ONLY; DELETE FROM accounts",
}


@pytest.mark.parametrize("statements", STATEMENTS_GIVEN_UP.values(), ids=STATEMENTS_GIVEN_UP)
async def test_what_the_server_gives_up_is_unavailable(racing_world: World, statements: str) -> None:
    engines = racing_world.engines
    async with engines.sqlalchemy_transaction() as elsewhere:
        await elsewhere.execute(text("SELECT pg_advisory_xact_lock(1)"))
        with pytest.raises(StoreUnavailable):
            await _run(engines, statements)


async def test_a_mistake_of_ours_is_not_called_unavailable(world: World) -> None:
    with pytest.raises(DBAPIError):
        await _run(world.engines, "SELECT * FROM no_such_table")


async def test_a_deadlock_that_the_server_breaks_is_unavailable(racing_world: World) -> None:
    engines = racing_world.engines
    locked = asyncio.Barrier(2)
    outcomes = await asyncio.gather(
        _lock_both(engines, (1, 2), locked), _lock_both(engines, (2, 1), locked), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "StoreUnavailable"]


async def _write_and_raise(store: Store, fault: type[BaseException]) -> None:
    async with store.transaction() as tx:
        await tx.accounts.add(ADA)
        raise fault


async def _write_and_be_cut_off(world: World, then_read: bool) -> None:
    async with world.env.store.transaction() as tx:
        await tx.accounts.add(ADA)
        await _end_all_connections(world.backend)
        if then_read:
            await tx.accounts.get(ADA.id)


async def _run(engines: Engines, statements: str) -> None:
    async with engines.sqlalchemy_transaction() as connection:
        for statement in statements.split("; "):
            await connection.execute(text(statement))


async def _lock_both(engines: Engines, locks: tuple[int, int], locked: asyncio.Barrier) -> None:
    async with engines.sqlalchemy_transaction() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({locks[0]})"))
        await locked.wait()
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({locks[1]})"))


@asynccontextmanager
async def _engines(address: str, pool_size: int = 10) -> AsyncIterator[Engines]:
    engines = engine.connect(address, pool_size)
    try:
        yield engines
    finally:
        await engines.close()
        # The thread of a SQLite connection that never came to be says so to this loop before it ends.
        for thread in threading.enumerate():
            if "_connection_worker_thread" in thread.name:
                await asyncio.to_thread(thread.join)


async def _end_all_connections(backend: Backend) -> None:
    name = backend.database_url.rpartition("/")[2]
    await _on_server(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


async def _on_server(statement: str) -> None:
    connection = await asyncpg.connect(f"{servers.postgresql()}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_another_connection_does_not_take_the_locks_of_the_first_away(tmp_path: Path) -> None:
    """C7: a program that comes and goes leaves SQLite's log where it is, for this process still writes into it."""
    path = tmp_path / "a.sqlite3"
    await asyncio.to_thread(come_and_go, path)
    engines = engine.connect(f"sqlite:///{path}", 3)
    async with engines.sqlalchemy_reading() as first, engines.sqlalchemy_reading() as second:
        for reading in (first, second):
            await reading.execute(text("SELECT * FROM one"))
    log = path.with_name("a.sqlite3-wal")
    there = log.is_file()
    await asyncio.to_thread(come_and_go, path)
    stayed = log.is_file()
    await engines.close()
    assert (there, stayed) == (True, True)


COME_AND_GO = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE IF NOT EXISTS one (number INTEGER)")
connection.execute("INSERT INTO one VALUES (1)")
connection.commit()
connection.close()
"""


def come_and_go(path: Path) -> None:
    """Another program, that writes a row and ends."""
    subprocess.run([sys.executable, "-c", COME_AND_GO, str(path)], check=True, timeout=60)
