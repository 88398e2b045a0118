"""Events are append-only: the database itself neither changes nor deletes one, except as the rules do."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from tests.harness.backends import Backend
from tests.harness.world import World, world_on
from tests.unit.storage import stored_account
from vestibule.crypto.entropy import new_id
from vestibule.flows.clean_up import clean_up
from vestibule.flows.clear_history import clear_history
from vestibule.flows.delete_account import delete_account
from vestibule.model.clock import SystemClock
from vestibule.model.errors import StoreUnavailable
from vestibule.model.events import Event, EventFilter, EventKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.storage.sql.schema import events

# By the database's own clock, not by the test's: the triggers ask that one.
NOW = SystemClock().now()
OLD = timedelta(days=2)
CHANGES = {
    "kind": "UPDATE events SET kind = 'registered'",
    "time": "UPDATE events SET at = '2001-01-01 00:00:00'",
    "number": "UPDATE events SET sequence = sequence + 100",
    "actor": "UPDATE events SET actor_id = 'somebody else'",
    "no actor": "UPDATE events SET actor_id = NULL",
    "detail": 'UPDATE events SET detail = \'{"reason": "another"}\'',
    "no detail": "UPDATE events SET detail = '{}'",
    "network address": "UPDATE events SET network_address = '192.0.2.9'",
    "another session": "UPDATE events SET session_id = 'another', account_id = NULL",
    "another detail of a detached one": "UPDATE events SET account_id = NULL, detail = '[]'",
    "no account, another kind": "UPDATE events SET account_id = NULL, kind = 'registered'",
    "no account, another actor": "UPDATE events SET account_id = NULL, actor_id = NULL",
}


_SQL = re.compile(r"### A database user with fewer rights.*?```sql\n(.*?)```", re.DOTALL)
GRANTS = _SQL.findall((Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8"))[0]


def _keeps_young_events(dialect: str) -> str:
    """The statement of the migration that other tests do without."""
    migration = import_module("vestibule.storage.sql.migrations.versions.0026_events_only_grow")
    statements = migration._POSTGRESQL if dialect == "postgresql" else migration._SQLITE
    return str(next(each for each in statements if "events_not_deleted" in each))


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    async with world_on(backend) as made:
        await _by_hand(made, _keeps_young_events(made.engines.dialect))
        yield made


@pytest.fixture
async def racing_world(postgresql: Backend) -> AsyncIterator[World]:
    async with world_on(postgresql) as made:
        await _by_hand(made, _keeps_young_events("postgresql"))
        yield made


async def _recorded(world: World, *at: datetime) -> str:
    """Record an event at each of these times, of an account whose id is returned."""
    ada = await stored_account(world.env.store)
    detail = {"reason": "typed"}
    async with world.env.store.transaction() as tx:
        for moment in at:
            happened = Event(
                moment, EventKind.ACCOUNT_DISABLED, ada.id, "a-session", "192.0.2.7", detail, "an-operator"
            )
            await tx.events.record(happened)
    return ada.id


async def _by_hand(world: World, statement: str) -> int:
    async with world.engines.sqlalchemy_transaction() as connection:
        return (await connection.execute(text(statement))).rowcount


async def _count(world: World) -> int:
    async with world.engines.sqlalchemy_reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(events))).scalar_one())


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
async def test_o69_no_event_is_changed_by_hand(world: World, statement: str) -> None:
    account_id = await _recorded(world, NOW - OLD, NOW)
    with pytest.raises(DBAPIError, match="refused by a trigger"):
        await _by_hand(world, statement)
    async with world.env.store.reading() as read:
        assert [event.detail["reason"] for event in await read.events.of_account(account_id, 9)] == ["typed", "typed"]


async def test_o69_no_young_event_is_deleted_by_hand(world: World) -> None:
    await _recorded(world, NOW - timedelta(hours=22), NOW, NOW + timedelta(days=400))
    for statement in ("DELETE FROM events", "DELETE FROM events WHERE sequence = 1"):
        with pytest.raises(DBAPIError, match="refused by a trigger"):
            await _by_hand(world, statement)
    assert await _count(world) == 3


async def test_o69_postgresql_truncates_no_events(racing_world: World) -> None:
    await _recorded(racing_world, NOW - OLD)
    with pytest.raises(DBAPIError, match="refused by a trigger"):
        await _by_hand(racing_world, "TRUNCATE events")
    assert await _count(racing_world) == 1


async def test_o69_old_events_are_purged(world: World) -> None:
    await _recorded(world, NOW - OLD, NOW - timedelta(days=1), NOW)
    async with world.env.store.transaction() as tx:
        assert await tx.events.purge(NOW - timedelta(hours=23, minutes=30), most=10) == 2
    assert await _count(world) == 1


async def test_o69_a_deleted_account_leaves_its_events_without_a_name(world: World) -> None:
    account_id = await _recorded(world, NOW - OLD, NOW)
    async with world.env.store.reading() as read:
        ada = await read.accounts.get(account_id)
    assert ada is not None
    await delete_account(world.env, COMMAND_LINE, ada)
    async with world.env.store.reading() as read:
        kept = [event for _, event in await read.events.find(EventFilter(), 9)]
    told = [(event.kind, event.account_id, event.network_address, event.actor_id) for event in kept[:2]]
    assert told == [(EventKind.ACCOUNT_DISABLED, None, None, "an-operator")] * 2


async def test_o69_history_is_cleared_and_an_account_removed_beneath_its_events(world: World) -> None:
    account_id = await _recorded(world, NOW)
    async with world.env.store.transaction() as tx:
        await clear_history(tx, account_id, NOW)
        await tx.events.record(Event(NOW, EventKind.SIGNED_IN, account_id))
    assert await _by_hand(world, "DELETE FROM accounts") == 1  # the database itself detaches what came since
    assert await _count(world) == 2


@pytest.fixture
async def fewer_rights(racing_world: World) -> AsyncIterator[World]:
    """The same, connected as the user that docs/operating.md makes."""
    backend, name = racing_world.backend, f"server_{new_id()[:8]}"
    for statement in filter(str.strip, GRANTS.replace("vestibule_server", name).split(";\n")):
        await _by_hand(racing_world, statement)
    try:
        async with world_on(
            replace(backend, database_url=backend.database_url.replace("postgres@", f"{name}@"))
        ) as made:
            yield made
    finally:
        await _by_hand(racing_world, f"DROP OWNED BY {name}")
        await _by_hand(racing_world, f"DROP ROLE {name}")


async def test_o69_a_server_with_fewer_rights_does_its_work_and_drops_no_trigger(fewer_rights: World) -> None:
    account_id = await _recorded(fewer_rights, NOW - OLD, NOW)
    await fewer_rights.register("grace@example.com")
    grace = await fewer_rights.sign_in("grace@example.com")
    assert (await grace.get("/api/auth/refresh")).status_code == 200
    assert (await grace.get("/api/auth/logout")).status_code == 200
    await clean_up(fewer_rights.env)
    async with fewer_rights.env.store.transaction() as tx:
        assert await tx.events.purge(NOW - timedelta(hours=23, minutes=30), most=1) == 1
    async with fewer_rights.env.store.reading() as read:
        ada = await read.accounts.get(account_id)
    assert ada is not None
    await delete_account(fewer_rights.env, COMMAND_LINE, ada)
    for statement in (
        "DROP TRIGGER events_not_deleted ON events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "TRUNCATE events",
        "UPDATE events SET kind = 'registered'",
        "UPDATE vestibule_schema SET version_num = '9999'",
        "SET session_replication_role = replica",
    ):
        with pytest.raises((DBAPIError, StoreUnavailable)):
            await _by_hand(fewer_rights, statement)
