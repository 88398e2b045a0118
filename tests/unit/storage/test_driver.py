"""Statements that the driver runs: what fails, fails as it does through Core, and takes nothing else with it."""

import asyncio
import traceback
from typing import Any

import pytest
from sqlalchemy import Select, bindparam, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.sql.base import Executable

from tests.harness.statements import statements
from tests.harness.world import World, world_on
from tests.unit.storage.test_redaction import CANARY, ROW
from tests.unit.storage.test_store import STATEMENTS_GIVEN_UP, _end_all_connections
from vestibule.model.errors import StoreUnavailable
from vestibule.model.store import Store
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts

ADD = Prepared(insert(accounts))
ADD_AND_TELL = Prepared(insert(accounts).returning(accounts.c.id))
EVERYBODY = Prepared(select(accounts.c.id, accounts.c.created_at))


def people(count: int) -> list[dict[str, Any]]:
    row = {column.name: None for column in accounts.c} | ROW
    return [row | {"id": f"canary-{n}", "email": f"canary-{n}@example.com"} for n in range(count)]


@pytest.mark.parametrize("add", [ADD, ADD_AND_TELL], ids=["nothing comes back", "rows come back"])
@pytest.mark.parametrize("count", [0, 1, 2, 1_201])
async def test_any_number_of_rows_is_written(world: World, add: Prepared, count: int) -> None:
    async with world.engines.transaction() as connection:
        added = await connection.execute(add, people(count)) if count else None
    assert (added.rowcount if added else 0) == count
    assert add is ADD or added is None or len(added.all()) == count
    async with world.engines.reading() as connection:
        found = (await connection.execute(EVERYBODY)).all()
    assert {row.id for row in found} == {row["id"] for row in people(count)}
    assert {row.created_at for row in found} <= {ROW["created_at"]}


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "canary-0"},
        {"name": None},
        {"epoch": "canary-number"},
        {"name": "canary " * 100},
        {"name": "canary\0"},
        {"name": "canary\ud800"},
        {"created_at": "canary-time"},
    ],
    ids=["the same id", "no name", "no number", "too long", "NUL", "a lone surrogate", "no time"],
)
async def test_l8_a_statement_that_fails_tells_no_value(world: World, changed: dict[str, Any]) -> None:
    first, second = people(2)
    async with world.engines.transaction() as connection:
        await connection.execute(ADD, first)
    error = await _failure(world, second | changed)
    if error is None:
        assert world.engines.dialect == "sqlite", "PostgreSQL takes none of these"
        return
    assert CANARY not in "".join(traceback.format_exception(error)).lower()
    assert CANARY not in repr(error).lower()


async def _failure(world: World, row: dict[str, Any]) -> Exception | None:
    try:
        async with world.engines.transaction() as connection:
            await connection.execute(ADD, row)
    except Exception as error:
        return error
    return None


async def test_a_transaction_that_goes_on_after_a_statement_failed_is_not_taken_for_kept(racing_world: World) -> None:
    with pytest.raises(InvalidRequestError):
        await _go_on_after_a_fault(racing_world.engines)
    async with racing_world.engines.reading() as connection:
        assert not (await connection.execute(EVERYBODY)).all()


async def _go_on_after_a_fault(engines: Engines) -> None:
    async with engines.transaction() as connection:
        await connection.execute(ADD, people(1)[0])
        with pytest.raises(DBAPIError):
            await connection.execute(ADD, people(1)[0])


async def test_a_savepoint_loses_no_more_than_its_block(world: World) -> None:
    first, second = people(2)
    async with world.engines.transaction() as connection:
        await connection.execute(ADD, first)
        with pytest.raises(DBAPIError):
            await _add_both(connection, second, first)
    async with world.engines.reading() as connection:
        assert [row.id for row in await connection.execute(EVERYBODY)] == [first["id"]]


async def _add_both(connection: DriverConnection, *rows: dict[str, Any]) -> None:
    async with connection.begin_nested():
        for row in rows:
            await connection.execute(ADD, row)


async def test_what_is_cancelled_holds_nothing_up_and_leaves_nothing(world: World) -> None:
    begun = asyncio.Event()

    async def write_and_wait() -> None:
        async with world.engines.transaction() as connection:
            await connection.execute(ADD, people(1)[0])
            begun.set()
            await asyncio.Event().wait()

    for _ in range(12):  # more than there are connections
        begun.clear()
        writing = asyncio.create_task(write_and_wait())
        await begun.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert world.engines.connections_in_use == 0
    async with world.engines.transaction() as connection:
        await connection.execute(ADD, people(1)[0])


async def test_once_connections_broke_one_deed_fails_and_no_other(racing_world: World) -> None:
    """A server that was started again has cut off all connections of the pool: each of them would fail once."""
    store = racing_world.env.store
    together = asyncio.Barrier(8)
    await asyncio.gather(*(_read(store, together) for _ in range(8)))  # so that there are eight
    with pytest.raises(StoreUnavailable):
        await _be_cut_off(racing_world)
    for _ in range(20):
        await _read(store)


async def _be_cut_off(world: World) -> None:
    async with world.engines.transaction() as connection:
        await _end_all_connections(world.backend)
        await connection.execute(EVERYBODY)


async def _read(store: Store, together: asyncio.Barrier | None = None) -> None:
    async with store.reading() as read:
        await read.accounts.get("nobody")
        if together is not None:
            await together.wait()


@pytest.mark.parametrize("given_up", STATEMENTS_GIVEN_UP.values(), ids=STATEMENTS_GIVEN_UP)
async def test_what_the_server_gives_up_is_unavailable(racing_world: World, given_up: str) -> None:
    async with racing_world.engines.transaction() as elsewhere:
        await elsewhere.control("SELECT pg_advisory_xact_lock(1)")
        with pytest.raises(StoreUnavailable):
            await _run(racing_world.engines, given_up)


async def _run(engines: Engines, given_up: str) -> None:
    async with engines.transaction() as connection:
        for statement in given_up.split("; "):
            await connection.control(statement)


async def test_a_pool_without_a_free_connection_is_unavailable(postgresql: Any) -> None:
    async with world_on(postgresql, pool_size=1) as world:
        world.engines.writing.pool._timeout = 0.1  # type: ignore[attr-defined]  # nobody should wait for it here
        async with world.engines.reading():
            with pytest.raises(StoreUnavailable):
                await _read(world.env.store)
        await _read(world.env.store)


MOMENTS = [
    select(accounts.c.id).where(accounts.c.created_at >= bindparam("moment", type_=Instant)),
    select(accounts.c.id).where(
        accounts.c.created_at >= bindparam("moment", type_=Instant), accounts.c.role.in_(["user", "admin"])
    ),
    select(accounts.c.id).where(
        accounts.c.created_at >= bindparam("moment", type_=Instant), accounts.c.id.in_(bindparam("ids", expanding=True))
    ),
]


@pytest.mark.parametrize("statement", MOMENTS, ids=["alone", "beside a list of ours", "beside a list of any length"])
async def test_a_moment_is_compared_as_it_is_stored(world: World, statement: Select[Any]) -> None:
    """SQLite compares texts: one with an offset behind it is later than the same moment without."""
    row = people(1)[0]
    given = {"moment": row["created_at"]} | ({"ids": [row["id"]]} if statement is MOMENTS[2] else {})
    async with world.engines.transaction() as connection:
        await connection.execute(ADD, row)
        assert (await connection.execute(Prepared(statement), given)).scalars() == [row["id"]]


OF_ADA = accounts.c.id == bindparam("ada")
KINDS: dict[str, tuple[Executable, dict[str, Any]]] = {
    "select": (select(accounts.c.id).where(OF_ADA), {"ada": "an id"}),
    "select of a list": (select(accounts.c.id).where(accounts.c.id.in_(bindparam("ids", expanding=True))), {"ids": []}),
    "update": (update(accounts).where(OF_ADA).values(epoch=bindparam("to")), {"ada": "an id", "to": 2}),
    "delete": (delete(accounts).where(OF_ADA), {"ada": "an id"}),
    "insert": (insert(accounts), people(1)[0]),
}


@pytest.mark.parametrize(("statement", "given"), KINDS.values(), ids=KINDS)
async def test_a_value_for_a_parameter_that_is_not_there_is_refused(
    world: World, statement: Executable, given: dict[str, Any]
) -> None:
    async with world.engines.transaction() as connection:
        with pytest.raises(ValueError, match="no parameter bob"):
            await connection.execute(Prepared(statement), given | {"bob": "another id"})
        await connection.execute(Prepared(statement), given)


async def test_a_statement_is_written_once(world: World) -> None:
    once = Prepared(select(accounts.c.id).where(accounts.c.epoch == 0))
    async with world.engines.reading() as connection:
        with statements() as asked:
            await connection.execute(once)
            await connection.execute(once)
    assert asked[0] is asked[1]


async def test_a_statement_with_a_list_is_written_once_for_each_length(world: World) -> None:
    those = Prepared(select(accounts.c.id).where(accounts.c.id.in_(bindparam("ids", expanding=True))))
    people_there = people(3)
    ids = [row["id"] for row in people_there]
    async with world.engines.transaction() as connection:
        await connection.execute(ADD, people_there)
        with statements() as asked:
            for some in (ids[:2], ids[1:], [ids[2], "nobody"], ids, []):
                found = (await connection.execute(those, {"ids": some})).scalars()
                assert set(found) == set(some) - {"nobody"}
    assert asked[0] is asked[1] is asked[2]
    assert len(set(asked)) == 3
