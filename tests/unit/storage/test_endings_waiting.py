"""The end of a session that waits for its account: for what holds the lock, and for a refresh that came first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from sqlalchemy import select

from tests.harness.locks import until_waiting
from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import World
from tests.unit.storage import LIMITS, stored_account, stored_session
from tests.unit.storage.ends import AHEAD, ENDS, LATER, OUT, End, rotate, rows
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason, Session
from vestibule.model.store import Ports
from vestibule.storage.sql.schema import accounts


class Waiting(NamedTuple):
    """A session whose end waits for its account, which is locked in this transaction."""

    session: Session
    tx: Ports
    ending: asyncio.Task[list[Revocation]]


@asynccontextmanager
async def waiting(world: World, end: End) -> AsyncIterator[Waiting]:
    """Let the end of a session wait for its account until the block is left."""
    store = world.env.store
    account = await stored_account(store)
    session = await stored_session(store, account)
    async with store.transaction() as tx:
        await tx.accounts.lock(account.id)
        ending = asyncio.create_task(end(world, session, LATER))
        await until_waiting(world)
        yield Waiting(session, tx, ending)


@pytest.mark.parametrize("end", ENDS)
async def test_it_then_sees_what_was_done_meanwhile(racing_world: World, end: End) -> None:
    async with waiting(racing_world, end) as (session, tx, ending):
        await tx.sessions.end(session.id, session.account_id, EndReason.PASSWORD_CHANGED, LATER)
    assert await ending == []
    left = await rows(racing_world)
    assert (left["sessions"][0]["end_reason"], left["events"], left["revocations"]) == ("password_changed", [], [])


@pytest.mark.parametrize("end", ENDS)
async def test_meanwhile_it_holds_no_session(racing_world: World, end: End) -> None:
    async with waiting(racing_world, end) as (session, _, ending), asyncio.timeout(WAIT_SECONDS):
        await rotate(racing_world.env.store, session, AHEAD)
    assert [one.purge_at for one in await ending] == [AHEAD + racing_world.env.policy.revocation_memory]


@pytest.mark.parametrize("end", ENDS)
async def test_an_account_that_is_deleted_meanwhile_leaves_nothing_to_end(racing_world: World, end: End) -> None:
    async with waiting(racing_world, end) as (session, tx, ending):
        await tx.accounts.remove(session.account_id)
    assert await ending == []
    assert not any((await rows(racing_world)).values())


@pytest.mark.parametrize("end", ENDS)
async def test_one_that_is_cancelled_writes_all_or_nothing(racing_world: World, end: End) -> None:
    async with waiting(racing_world, end) as (_, _, ending):
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        assert racing_world.engines.connections_in_use == 1
    async with racing_world.engines.sqlalchemy_transaction() as connection:  # what waited for the lock is done by then
        await connection.execute(select(accounts.c.id).with_for_update())
    left = await rows(racing_world)
    assert len(left["events"]) == len(left["revocations"]) == [row["end_reason"] for row in left["sessions"]].count(OUT)


@pytest.mark.parametrize("end", ENDS)
async def test_a_refresh_that_comes_first_is_counted_in(racing_world: World, end: End) -> None:
    """The revocation outlives the tokens of a refresh that the end of its session waited for."""
    store = racing_world.env.store
    session = await stored_session(store, await stored_account(store))
    async with store.transaction() as tx:
        assert await tx.sessions.rotate(session.id, 1, LIMITS, AHEAD)
        ending = asyncio.create_task(end(racing_world, session, LATER))
        await until_waiting(racing_world)
    assert [one.purge_at for one in await ending] == [AHEAD + racing_world.env.policy.revocation_memory]
