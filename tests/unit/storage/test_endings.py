"""`model.endings.Endings`: one step writes what the steps of a transaction write, on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from structlog.contextvars import bound_contextvars
from structlog.testing import capture_logs

from tests.harness.backends import Backend
from tests.harness.statements import statements
from tests.harness.world import World, world_on
from tests.unit.storage import LIMITS, NOW, stored_account, stored_session
from tests.unit.storage.ends import AHEAD, ENDS, LATER, OUT, End, Rows, alone, by_steps, rotate, rows, within
from vestibule.crypto.entropy import new_id
from vestibule.model.endings import Ending
from vestibule.model.events import REQUEST_ID
from vestibule.model.revocations import Reach, Revocation, RevocationKind
from vestibule.model.sessions import Device, EndReason, Session, begin
from vestibule.storage.sql.schema import events, revocations, sessions


async def of_another_account(world: World, session: Session) -> Session:
    return replace(session, account_id=(await stored_account(world.env.store, email="bob@example.com")).id)


async def of_nobody(_: World, session: Session) -> Session:
    return replace(session, account_id=new_id())


async def unknown(_: World, session: Session) -> Session:
    return replace(session, id=new_id())


async def idle(world: World, session: Session) -> Session:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(sessions.update().values(idle_expires_at=LATER))
    return session


async def ended(world: World, session: Session) -> Session:
    async with world.env.store.transaction() as tx:
        assert await tx.sessions.end(session.id, session.account_id, EndReason.PASSWORD_CHANGED, NOW)
    return session


@pytest.mark.parametrize("request_id", [None, "a request"])
@pytest.mark.parametrize("seen_at", [NOW, AHEAD], ids=["seen before", "seen by a clock ahead"])
async def test_every_way_writes_the_same_rows(world: World, seen_at: datetime, request_id: str | None) -> None:
    store = world.env.store
    session = await stored_session(store, await stored_account(store))
    if seen_at != NOW:
        await rotate(store, session, seen_at)
    before, written, returned = await rows(world), [], []
    for end in ENDS:
        with bound_contextvars(**({REQUEST_ID: request_id} if request_id else {})):
            returned.append(await end(world, session, LATER))
        written.append(await rows(world))
        assert [one.sequence > 0 for one in returned[-1]] == [True]
        assert [replace(one, sequence=0) for one in returned[-1]] == [
            Revocation(
                LATER, RevocationKind.SESSION, session.id, max(LATER, seen_at) + world.env.policy.revocation_memory
            )
        ]
        await _undo(world, before)
    assert written[0] == written[1] == written[2]
    assert [len(written[0][name]) for name in ("sessions", "events", "revocations")] == [1, 1, 1]
    assert written[0]["events"][0]["account_id"] == session.account_id
    assert (written[0]["sessions"][0]["end_reason"], written[0]["sessions"][0]["ended_at"]) == (OUT, LATER)


async def _undo(world: World, before: Rows) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        for table in (events, revocations):
            await connection.execute(table.delete())
        await connection.execute(sessions.update().values(before["sessions"][0]))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("which", [of_another_account, of_nobody, unknown, idle, ended])
async def test_what_is_over_or_of_somebody_else_ends_by_no_way(
    world: World, which: Callable[[World, Session], Awaitable[Session]], end: End
) -> None:
    store = world.env.store
    session = await which(world, await stored_session(store, await stored_account(store)))
    before = await rows(world)
    assert await end(world, session, LATER) == []
    assert await rows(world) == before


@pytest.mark.parametrize("end", ENDS)
async def test_the_second_end_does_nothing_and_is_not_told(world: World, end: End) -> None:
    store = world.env.store
    session = await stored_session(store, await stored_account(store))
    counted = store.event_counts.get("session_ended", 0)
    with capture_logs() as logged:
        assert len(await end(world, session, LATER)) == 1
        after = await rows(world)
        assert await end(world, session, LATER) == []
    assert await rows(world) == after
    assert [(line["event"], line["session_id"], line["reason"]) for line in logged] == [
        ("session_ended", session.id, "signed_out")
    ]
    assert store.event_counts["session_ended"] == counted + 1


async def test_a_log_out_is_one_statement_on_postgresql(racing_world: World) -> None:
    session = await stored_session(racing_world.env.store, await stored_account(racing_world.env.store))
    with statements() as asked:
        assert await alone(racing_world, session, LATER)
    assert len(asked) == 1


async def test_its_revocation_is_read_by_whoever_follows(world: World) -> None:
    store = world.env.store
    revoked = await alone(world, await stored_session(store, await stored_account(store)), LATER)
    async with store.reading() as read:
        assert await read.revocations.after(0, Reach(0, NOW), 10) == revoked


async def test_a_revocation_lasts_as_long_when_the_clocks_change(postgresql: Backend) -> None:
    async with world_on(postgresql) as world:
        async with world.engines.sqlalchemy_transaction() as connection:
            await connection.execute(
                text("ALTER DATABASE " + postgresql.database_url.rpartition("/")[2] + " SET timezone = 'Europe/Berlin'")
            )
        await world.engines.close()  # so that new connections have that
        store, begun = world.env.store, datetime(2026, 10, 24, 12, tzinfo=UTC)
        account = await stored_account(store)
        session = begin(new_id(), account.id, Device("a browser", "192.0.2.7"), LIMITS, begun)
        async with store.transaction() as tx:
            assert await tx.sessions.open(session, account.epoch)
        async with store.steps() as steps:
            ending = Ending(account.id, OUT, begun, timedelta(days=2, microseconds=3))
            revoked = await steps.endings.end(session.id, ending)
        assert [one.purge_at for one in revoked] == [begun + timedelta(days=2, microseconds=3)]


async def test_of_sixteen_one_ends_it(racing_world: World) -> None:
    store = racing_world.env.store
    session = await stored_session(store, await stored_account(store))
    ways = [alone, within, by_steps, alone] * 4
    outcomes = await asyncio.gather(*(end(racing_world, session, LATER) for end in ways))
    assert sorted(map(len, outcomes)) == [0] * 15 + [1]
    assert [len(listed) for listed in (await rows(racing_world)).values()] == [1, 1, 1]


async def test_behind_a_pooler_it_is_in_a_transaction(postgresql: Backend) -> None:
    pooled = replace(postgresql, database_url=f"{postgresql.database_url}?pgbouncer=true")
    async with world_on(pooled) as world:
        store = world.env.store
        session = await stored_session(store, await stored_account(store))
        async with store.steps() as steps:
            assert await steps.endings.end(session.id, Ending(session.account_id, OUT, LATER, timedelta(minutes=1)))
            assert (await rows(world))["events"] == []
        assert len((await rows(world))["events"]) == 1
