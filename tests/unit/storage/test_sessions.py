"""`model.sessions.Sessions`, on both databases: opening, the refresh table of `flows/refresh.py`, and ending."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from tests.harness.locks import until_waiting
from tests.harness.world import World
from tests.unit.storage import LIMITS, NOW, an_account, stored_account, stored_session
from vestibule.crypto.entropy import new_id
from vestibule.model.accounts import Account
from vestibule.model.sessions import MAX_LIVE_SUCCESSORS, Device, EndReason, Session, begin
from vestibule.model.store import Store

GRACE = LIMITS.refresh_grace.total_seconds()
LATE = GRACE + 0.001
INSTANT = timedelta(microseconds=1)


@pytest.fixture
async def session(store: Store, ada: Account) -> Session:
    return await stored_session(store, ada)


def for_account(account: Account) -> Session:
    return begin(new_id(), account.id, Device("a browser", "192.0.2.7"), LIMITS, NOW)


async def find(store: Store, session: Session) -> Session | None:
    async with store.reading() as read:
        found = await read.sessions.find(session.id)
    return found[0] if found else None


async def rotate(store: Store, session: Session, counter: int, now: datetime) -> tuple[Session, Account] | None:
    async with store.steps() as steps:
        return await steps.sessions.rotate(session.id, counter, LIMITS, now)


async def end(store: Store, session: Session, now: datetime) -> bool:
    async with store.transaction() as tx:
        return await tx.sessions.end(session.id, session.account_id, EndReason.SIGNED_OUT, now)


async def test_a_session_comes_back_with_its_account(store: Store, ada: Account, session: Session) -> None:
    async with store.reading() as read:
        assert await read.sessions.find(session.id) == (session, ada)
        assert await read.sessions.find(new_id()) is None


async def test_how_and_when_somebody_signed_in_comes_back(store: Store, ada: Account) -> None:
    proven = replace(for_account(ada), methods=("pwd", "otp", "mfa"), authenticated_at=NOW + timedelta(minutes=5))
    async with store.transaction() as tx:
        assert await tx.sessions.open(proven, ada.epoch)
    assert await find(store, proven) == proven


async def test_a_session_of_before_0017_was_by_password_when_it_began(
    world: World, store: Store, session: Session
) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("UPDATE sessions SET amr = NULL, authenticated_at = NULL"))
    found = await find(store, session)
    assert found is not None
    assert (found.methods, found.authenticated_at) == (("pwd",), session.created_at)


@pytest.mark.parametrize(("account_now", "epoch"), [({"epoch": 1}, 0), ({"epoch": 1}, 2), ({"disabled_at": NOW}, 0)])
async def test_no_session_opens_after_a_change_of_credential_or_for_the_disabled(
    store: Store, account_now: dict[str, int], epoch: int
) -> None:
    session = for_account(await stored_account(store, **account_now))
    async with store.transaction() as tx:
        assert not await tx.sessions.open(session, epoch)
    assert await find(store, session) is None


async def test_no_session_opens_for_nobody(store: Store) -> None:
    async with store.transaction() as tx:
        assert not await tx.sessions.open(for_account(an_account()), 0)


# Each step: seconds since the last one, the counter presented, whether it is accepted; then parent, base, current.
Step = tuple[float, int, bool, tuple[int, int, int]]
FIRST: Step = (0, 1, True, (1, 1, 2))
REPLACED: Step = (LATE, 1, True, (1, 1, 3))
PROTOCOL: dict[str, list[Step]] = {
    "a successor, for the first time": [FIRST, (0, 2, True, (2, 2, 3)), (LATE, 3, True, (3, 3, 4))],
    "the parent, at once": [FIRST, (0, 1, False, (1, 1, 2))],
    "the parent, at the end of the grace": [FIRST, (GRACE, 1, False, (1, 1, 2))],
    "the parent, after the grace": [FIRST, REPLACED],
    "the parent, within the grace of its replacement": [FIRST, REPLACED, (GRACE, 1, False, (1, 1, 3))],
    "the late answer is used after all": [FIRST, REPLACED, (0, 2, True, (2, 3, 4))],
    "its replacement is used": [FIRST, REPLACED, (0, 3, True, (3, 3, 4))],
    "the sibling after the replacement": [FIRST, REPLACED, (0, 3, True, (3, 3, 4)), (LATE, 2, False, (3, 3, 4))],
    "the sibling after the late answer": [FIRST, REPLACED, (0, 2, True, (2, 3, 4)), (LATE, 3, False, (2, 3, 4))],
    "a grandparent": [FIRST, (0, 2, True, (2, 2, 3)), (LATE, 1, False, (2, 2, 3))],
    "a counter never issued": [(LATE, 2, False, (0, 0, 1)), FIRST, (LATE, 3, False, (1, 1, 2))],
}


@pytest.mark.parametrize("steps", PROTOCOL.values(), ids=PROTOCOL)
async def test_rotation_follows_the_table(store: Store, ada: Account, session: Session, steps: list[Step]) -> None:
    now = NOW
    for seconds, counter, accepted, counters in steps:
        now += timedelta(seconds=seconds)
        before = await find(store, session)
        rotated = await rotate(store, session, counter, now)
        after = await find(store, session)
        assert after is not None
        assert rotated == ((after, ada) if accepted else None)
        assert (after.parent, after.base, after.current) == counters
        if accepted:
            assert (after.issued_at, after.last_seen_at) == (now, now)
        else:
            assert after == before


async def test_sixteen_successors_live_at_most(store: Store, session: Session) -> None:
    now = NOW
    for _ in range(MAX_LIVE_SUCCESSORS):
        assert await rotate(store, session, 1, now)
        now += timedelta(seconds=LATE)
    full = await find(store, session)
    assert full is not None
    assert full.current - full.base == MAX_LIVE_SUCCESSORS == 16
    assert not await rotate(store, session, 1, now)
    assert await find(store, session) == full
    assert await rotate(store, session, full.current, now)


async def test_each_use_moves_the_idle_end_but_never_past_the_absolute_one(store: Store, session: Session) -> None:
    """R5, S6: each use moves the idle end but never past the absolute one."""
    ends = []
    for counter, minutes in enumerate((20, 50, 85), start=1):
        assert await rotate(store, session, counter, NOW + timedelta(minutes=minutes))
        used = await find(store, session)
        assert used is not None
        assert used.expires_at == NOW + LIMITS.absolute
        ends.append(used.idle_expires_at - NOW)
    assert ends == [timedelta(minutes=80), LIMITS.absolute, LIMITS.absolute]
    assert not await rotate(store, session, 4, NOW + LIMITS.absolute)
    assert await rotate(store, session, 4, NOW + LIMITS.absolute - INSTANT)


async def test_an_idle_session_is_over(store: Store, session: Session) -> None:
    idle_end = NOW + LIMITS.idle
    assert not await rotate(store, session, 1, idle_end)
    assert not await end(store, session, idle_end)
    assert await find(store, session) == session
    assert await rotate(store, session, 1, idle_end - INSTANT)


async def test_an_ended_session_stays_ended_for_the_first_reason(store: Store, session: Session) -> None:
    assert await end(store, session, NOW)
    ended = replace(session, ended_at=NOW, end_reason=EndReason.SIGNED_OUT)
    async with store.transaction() as tx:
        assert not await tx.sessions.end(session.id, session.account_id, EndReason.REFRESH_TOKEN_REUSED, NOW)
        assert await tx.sessions.end_all(session.account_id, EndReason.PASSWORD_RESET, NOW) == {}
    assert not await rotate(store, session, 1, NOW)
    assert await find(store, session) == ended


async def test_end_all_ends_every_live_session_of_one_account(store: Store, ada: Account, session: Session) -> None:
    another, over = await stored_session(store, ada), await stored_session(store, ada)
    hers = await stored_session(store, await stored_account(store, email="grace@example.com"))
    assert await end(store, over, NOW)
    async with store.transaction() as tx:
        ended = await tx.sessions.end_all(ada.id, EndReason.PASSWORD_RESET, NOW)
    assert sorted(ended) == sorted([session.id, another.id])
    for each in (session, another):
        assert await find(store, each) == replace(each, ended_at=NOW, end_reason=EndReason.PASSWORD_RESET)
    assert await find(store, hers) == hers


async def _new_password(store: Store, account: Account, decided: asyncio.Event, may_commit: asyncio.Event) -> list[str]:
    """Change the credential, stand still before the commit, and tell which sessions it ended."""
    async with store.transaction() as tx:
        await tx.accounts.set_password(account.id, "another hash", NOW)
        ended = await tx.sessions.end_all(account.id, EndReason.PASSWORD_RESET, NOW)
        decided.set()
        await may_commit.wait()
    return list(ended)


async def _open(store: Store, session: Session, decided: asyncio.Event, may_commit: asyncio.Event) -> bool:
    """Open the session of somebody whose old password was right, and stand still before the commit."""
    async with store.transaction() as tx:
        opened = await tx.sessions.open(session, 0)
        decided.set()
        await may_commit.wait()
    return bool(opened)


@pytest.mark.parametrize("sign_in_first", [True, False], ids=["the sign-in first", "the change first"])
async def test_no_session_of_an_old_password_outlives_its_change(racing_world: World, sign_in_first: bool) -> None:
    """S8: no session of an old password outlives its change."""
    store = racing_world.env.store
    account = await stored_account(store)
    session = for_account(account)
    decided, may_commit, otherwise = asyncio.Event(), asyncio.Event(), asyncio.Event()
    otherwise.set()
    async with asyncio.TaskGroup() as both:
        if sign_in_first:
            opening = both.create_task(_open(store, session, decided, may_commit))
            await decided.wait()
            changing = both.create_task(_new_password(store, account, asyncio.Event(), otherwise))
        else:
            changing = both.create_task(_new_password(store, account, decided, may_commit))
            await decided.wait()
            opening = both.create_task(_open(store, session, asyncio.Event(), otherwise))
        await until_waiting(racing_world)
        may_commit.set()
    assert opening.result() is sign_in_first
    assert changing.result() == ([session.id] if sign_in_first else [])
    left = await find(store, session)
    assert left is None or not left.live(NOW)


async def test_past_sessions_are_those_that_ended_or_ran_out_and_nobody_elses(store: Store, ada: Account) -> None:
    ended, idle, live = [await stored_session(store, ada) for _ in range(3)]
    await stored_session(store, await stored_account(store, email="grace@example.com"))
    later = NOW + LIMITS.idle
    await end(store, ended, NOW)
    assert await rotate(store, live, 1, later - INSTANT)
    async with store.reading() as read:
        past = await read.sessions.past(ada.id, 10, later)
        assert {(session.id, session.why_over(later)) for session in past} == {
            (ended.id, EndReason.SIGNED_OUT),
            (idle.id, EndReason.IDLE),
        }
        assert len(await read.sessions.past(ada.id, 1, later)) == 1
