"""Three ways to end a session, and what they leave in the database."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from tests.harness.world import World
from tests.unit.storage import LIMITS, NOW
from vestibule.flows.end_sessions import end_session, end_session_alone
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason, Session
from vestibule.model.store import Store
from vestibule.storage.sql.schema import events, revocations, sessions

OUT = EndReason.SIGNED_OUT
LATER = NOW + timedelta(minutes=5)
AHEAD = NOW + timedelta(minutes=7, microseconds=1)
Rows = dict[str, list[dict[str, Any]]]
End = Callable[[World, Session, datetime], Awaitable[list[Revocation]]]


async def alone(world: World, session: Session, now: datetime) -> list[Revocation]:
    """As signing out does: one statement where the database can."""
    async with world.env.store.steps() as steps:
        return await end_session_alone(world.env, steps, session.id, session.account_id, OUT, now)


async def within(world: World, session: Session, now: datetime) -> list[Revocation]:
    """The same step, within a transaction."""
    async with world.env.store.transaction() as tx:
        return await end_session_alone(world.env, tx, session.id, session.account_id, OUT, now)


async def by_steps(world: World, session: Session, now: datetime) -> list[Revocation]:
    """As the flows that end sessions together with something else do."""
    async with world.env.store.transaction() as tx:
        await tx.accounts.lock(session.account_id)
        return await end_session(world.env, tx, session.id, session.account_id, OUT, now)


ENDS = (alone, within, by_steps)


async def rows(world: World) -> Rows:
    async with world.engines.sqlalchemy_reading() as connection:
        found = {}
        for table in (sessions, events, revocations):
            listed = await connection.execute(select(table).order_by(*table.primary_key))
            found[table.name] = [{k: v for k, v in row.items() if k != "sequence"} for row in listed.mappings()]
    return found


async def rotate(store: Store, session: Session, now: datetime) -> None:
    async with store.transaction() as tx:
        assert await tx.sessions.rotate(session.id, 1, LIMITS, now)
