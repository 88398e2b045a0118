"""Migrations: from nothing to the newest schema, under a lock, on both databases; and schemas that do not fit."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.conftest import not_to_be_had
from tests.harness import backends, servers
from tests.harness.backends import postgresql_database
from vestibule.model.errors import StoreUnavailable
from vestibule.storage.sql import engine, schema
from vestibule.storage.sql import migrate as migrations
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.revision import SchemaMismatch, require_current
from vestibule.storage.sql.schema import REVISION
from vestibule.storage.sql.timeouts import UNHURRIED

PROCESSES = 8
TABLES = {*schema.metadata.tables, "vestibule_schema"}
OF_EXPRESSIONS = {
    index.name
    for table in schema.metadata.tables.values()
    for index in table.indexes
    if not all(isinstance(each, Column) for each in index.expressions)
}


@pytest.fixture(params=backends.ALL)
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engines]:
    """A database without a single table."""
    async with AsyncExitStack() as stack:
        address = f"sqlite:///{tmp_path}/empty.sqlite3"
        if request.param == backends.POSTGRESQL:
            address = await _postgresql_address(stack)
        yield await stack.enter_async_context(_connected(address))


@pytest.fixture
async def empty_postgresql() -> AsyncIterator[str]:
    """The address of a PostgreSQL database without a single table."""
    async with AsyncExitStack() as stack:
        yield await _postgresql_address(stack)


async def test_from_nothing_to_the_newest(empty: Engines) -> None:
    assert await migrate(empty) == (None, REVISION)
    await require_current(empty)
    assert await _tables(empty) == TABLES


async def test_a_second_time_does_no_harm(empty: Engines) -> None:
    await migrate(empty)
    before = await _look(empty, _everything)
    assert await migrate(empty) == (REVISION, REVISION)
    assert await _look(empty, _everything) == before


async def test_the_migrations_make_what_the_code_expects(empty: Engines) -> None:
    await migrate(empty)
    assert await _look(empty, _differences) == []
    migrated = await _look(empty, _everything)
    async with empty.sqlalchemy_transaction() as connection:
        await connection.run_sync(_remake_from_the_code)
    assert await _look(empty, _everything) == migrated


def test_the_code_was_written_for_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


async def test_machines_that_start_together_make_one_schema(empty_postgresql: str) -> None:
    async with AsyncExitStack() as stack:
        machines = [await stack.enter_async_context(_connected(empty_postgresql)) for _ in range(PROCESSES)]
        outcomes = await asyncio.gather(*(migrate(machine) for machine in machines))
        assert sorted(outcomes, key=str) == [(REVISION, REVISION)] * (PROCESSES - 1) + [(None, REVISION)]
        assert await _tables(machines[0]) == TABLES
        assert await _look(machines[0], _differences) == []


MISFITS = {
    "9999": "the database has schema 9999, which is newer than this version of Vestibule (0001); "
    "start the newer version, or restore the backup made before it",
    "0000": "the database has schema 0000, this version needs 0001; run: vestibule migrate",
}


@pytest.mark.parametrize(("revision", "sentence"), MISFITS.items(), ids=MISFITS)
async def test_another_schema_is_refused_in_a_sentence(empty: Engines, revision: str, sentence: str) -> None:
    await migrate(empty)
    await _pretend(empty, revision)
    with pytest.raises(SchemaMismatch) as refusal:
        await require_current(empty)
    assert str(refusal.value) == sentence.replace("0001", REVISION)


async def test_no_migration_touches_a_newer_schema(empty: Engines) -> None:
    await migrate(empty)
    await _pretend(empty, "9999")
    before = await _look(empty, _everything)
    with pytest.raises(SchemaMismatch, match="schema 9999, which is newer"):
        await migrate(empty)
    assert await _look(empty, _everything) == before


async def test_no_schema_at_all_is_refused_in_a_sentence(empty: Engines) -> None:
    with pytest.raises(SchemaMismatch) as refusal:
        await require_current(empty)
    assert str(refusal.value) == "the database has no Vestibule schema yet; run: vestibule migrate"
    assert await _tables(empty) == set()


async def test_a_migration_that_fails_in_the_middle_leaves_nothing(empty: Engines) -> None:
    async with empty.sqlalchemy_transaction() as connection:
        await connection.execute(text("CREATE TABLE users (id integer, email text, password text, provider text)"))
        await connection.execute(text("CREATE INDEX events_of_account ON users (id)"))
    with pytest.raises(DBAPIError):
        await migrate(empty)
    assert await _tables(empty) == {"users"}
    async with empty.sqlalchemy_transaction() as connection:
        await connection.execute(text("DROP INDEX events_of_account"))
    assert await migrate(empty) == (None, REVISION)


async def test_a_migration_that_is_cut_off_in_the_middle_leaves_nothing(empty_postgresql: str) -> None:
    async with _connected(empty_postgresql) as engines:
        async with engines.sqlalchemy_transaction() as in_the_way:
            await in_the_way.execute(text("CREATE TABLE sessions (in_the_way integer)"))
            cut_off = asyncio.create_task(migrate(engines))
            await _terminate_who_waits(engines)
            with pytest.raises(StoreUnavailable):
                await cut_off
            await in_the_way.execute(text("DROP TABLE sessions"))
        assert await _tables(engines) == set()
        assert await migrate(engines) == (None, REVISION)


async def _postgresql_address(stack: AsyncExitStack) -> str:
    try:
        return await stack.enter_async_context(postgresql_database())
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)
        raise


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[Engines]:
    engines = engine.connect(address, timeouts=UNHURRIED)
    try:
        yield engines
    finally:
        await engines.close()


async def _look(engines: Engines, look: Callable[[Connection], Any]) -> Any:
    async with engines.sqlalchemy_reading() as connection:
        return await connection.run_sync(look)


async def _tables(engines: Engines) -> set[str]:
    return set(await _look(engines, lambda connection: inspect(connection).get_table_names()))


async def _pretend(engines: Engines, revision: str) -> None:
    async with engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("UPDATE vestibule_schema SET version_num = :revision"), {"revision": revision})


async def _terminate_who_waits(engines: Engines) -> None:
    waiting = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(servers.WAIT_SECONDS), engines.sqlalchemy_reading() as connection:
        while not (await connection.execute(waiting)).all():
            pass


def _differences(connection: Connection) -> list[Any]:
    """What Alembic would still change. It cannot compare indexes of expressions, which `_everything` shows."""
    opts = {"version_table": "vestibule_schema", "compare_type": True, "include_name": _comparable}
    context = MigrationContext.configure(connection, opts=opts)
    comparable = MetaData()
    for table in schema.metadata.tables.values():
        copied = table.to_metadata(comparable)
        copied.indexes -= {index for index in copied.indexes if not _comparable(index.name, "index", {})}
    return compare_metadata(context, comparable)


def _comparable(name: Any, kind: str, _parents: object) -> bool:
    return kind != "index" or name not in OF_EXPRESSIONS


def _everything(connection: Connection) -> list[str]:
    """Vestibule's tables and indexes as the database has them, in SQL."""
    there = MetaData()
    there.reflect(connection, only=list(schema.metadata.tables))
    indexes = [index for table in there.tables.values() for index in table.indexes if index.name not in OF_EXPRESSIONS]
    statements = [*map(CreateTable, there.tables.values()), *map(CreateIndex, indexes)]
    return sorted(str(statement.compile(connection)) for statement in statements) + _of_expressions(connection)


def _of_expressions(connection: Connection) -> list[str]:
    """Their definitions as the database keeps them: reflection loses their order."""
    kept = {"sqlite": "SELECT name, sql FROM sqlite_master", "postgresql": "SELECT indexname, indexdef FROM pg_indexes"}
    return sorted(
        written for name, written in connection.execute(text(kept[connection.dialect.name])) if name in OF_EXPRESSIONS
    )


def _remake_from_the_code(connection: Connection) -> None:
    there = MetaData()
    there.reflect(connection)
    there.drop_all(connection)
    schema.metadata.create_all(connection)
