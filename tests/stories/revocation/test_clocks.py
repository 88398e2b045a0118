"""Clocks that are ahead or behind, and set right later: what ended is over all the same, here and at services."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.world import World, world_on
from tests.unit.client.knowing import Knowing
from vestibule.client import SessionOverError, TokenInvalidError
from vestibule.client.events import EventParser
from vestibule.flows.administer import disable_account
from vestibule.flows.find_people import find_account
from vestibule.flows.follow_revocations import read_new_backlog, read_whole_backlog
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.policy import LONGEST_ACCESS_LIFETIME
from vestibule.protocol.revocations import USUAL_SECONDS, Revoked
from vestibule.web.api.services import as_event

EMAIL = "ada@example.com"
NONE, HOURS, DAYS = timedelta(), timedelta(hours=2), timedelta(days=400)
LEADS = [NONE, HOURS, DAYS, -HOURS, -DAYS]
MINUTE = timedelta(minutes=1)


async def disable(world: World) -> None:
    account = await find_account(world.env, EMAIL)
    assert account is not None
    await disable_account(world.env, COMMAND_LINE, account)


def hear(service: Knowing, world: World) -> None:
    """The service is told what stands, and that this is all."""
    now = service.clock.monotonic()
    for notices in world.env.revocations.still_in_force(0, world.clock.monotonic()):
        for event in EventParser().feed(as_event(notices).encode()):
            service.memory.revoked.learn(event.data, now)
    service.memory.revoked.renew(now)
    service.memory.revoked.purge(now)


@pytest.mark.parametrize("of_follower", LEADS)
@pytest.mark.parametrize("of_writer", [NONE, HOURS, -HOURS])
async def test_k12_no_clock_makes_a_process_deaf_to_what_others_end(
    backend: Backend, of_follower: timedelta, of_writer: timedelta
) -> None:
    """K12: its clock was wrong at the start, or the other's is when it writes."""
    clock, of_other, service = ManualClock(), ManualClock(), Knowing()
    clock.set_ahead(of_follower)
    async with world_on(backend, clock=clock) as world, world_on(backend, clock=of_other) as other:
        clock.set_ahead(NONE)
        await world.register()
        browser = await world.sign_in()
        bearer = {"Authorization": f"Bearer {browser.cookies['access_token']}"}
        assert (await browser.get("/api/users/me")).status_code == 200
        of_other.set_ahead(of_writer)
        await disable(other)
        await read_new_backlog(world.env)
        answers = [(await browser.get(path, headers=bearer)) for path in ("/api/users/me", "/api/auth/verify")]
        assert [answer.status_code for answer in answers] == [401, 401]
        hear(service, world)
        with pytest.raises(SessionOverError):
            service.memory.decide(browser.cookies["access_token"])


async def test_k12_what_a_clock_ahead_took_for_over_is_read_once_it_is_set_right(backend: Backend) -> None:
    """K12: and until it is read, what is told as fresh is told by the clock that was ahead."""
    clock, service = ManualClock(), Knowing()
    async with world_on(backend, clock=ManualClock()) as other:
        await other.register()
        token = (await other.sign_in()).cookies["access_token"]
        await disable(other)
        clock.set_ahead(HOURS)
        async with world_on(backend, clock=clock) as world:
            known = world.env.revocations
            assert (len(known), known.clock_offset) == (0, HOURS.total_seconds())
            clock.set_ahead(NONE)
            clock.advance(seconds=1)
            assert known.clock_offset == HOURS.total_seconds()
            await read_whole_backlog(world.env)
            assert (len(known), known.clock_offset) == (2, 0)
            hear(service, world)
            with pytest.raises(SessionOverError):
                service.memory.decide(token)
            clock.advance(seconds=1)
            assert await read_whole_backlog(world.env) == []
            await disable(other)  # numbers go on where they were
            await read_whole_backlog(world.env)
            assert known.overlap.count == 3


async def test_k12_a_record_by_a_clock_ahead_does_not_have_all_after_it_read(world: World) -> None:
    """K12: a start among many costs what stands, though the first of them is dated next year."""
    async with world.engines.sqlalchemy_transaction() as connection:
        for at in ("2027-12-01", "2026-11-20", "2026-11-20"):
            row = {"at": f"{at} 00:00:00+00:00", "until": f"{at} 01:00:00+00:00"}
            await connection.execute(
                text(
                    "INSERT INTO revocations (at, kind, subject, purge_at)"
                    f" VALUES ('{row['at']}', 'session', '{at}', '{row['until']}')"
                )
            )
    now = world.clock.now()
    async with world.env.store.reading() as read:
        reach = await read.revocations.reach(now, now + MINUTE)
        assert [one.subject for one in await read.revocations.after(0, reach, 9)] == ["2027-12-01"]
        assert (await read.revocations.between(0, 9, reach)).count == 1


@pytest.mark.parametrize("lead", [HOURS, DAYS])
async def test_k13_a_revocation_outlives_a_token_of_a_clock_ahead(backend: Backend, lead: timedelta) -> None:
    """K13: signed while the clock was ahead, ended at once: no service lets it in when its time comes."""
    clock, service = ManualClock(), Knowing()
    async with world_on(backend, clock=clock) as world:
        clock.set_ahead(lead)
        await world.register()
        browser = await world.sign_in()
        token = browser.cookies["access_token"]
        clock.set_ahead(NONE)
        with pytest.raises(TokenInvalidError):
            service.memory.decide(token)
        await disable(world)
        for passed in (NONE, 63 * MINUTE, lead, lead + MINUTE, lead + 14 * MINUTE, lead + LONGEST_ACCESS_LIFETIME):
            for moved in (clock, service.clock):
                moved.advance(seconds=(ManualClock().now() + passed - moved.now()).total_seconds())
            await read_whole_backlog(world.env)
            hear(service, world)
            late = Knowing()
            late.clock.advance(seconds=passed.total_seconds())
            hear(late, world)
            for one in (service, late):
                with pytest.raises((SessionOverError, TokenInvalidError)):
                    one.memory.decide(token)
            bearer = {"Authorization": f"Bearer {token}"}
            assert (await (await world.client()).get("/api/users/me", headers=bearer)).status_code == 401


@pytest.mark.parametrize("path", ["/api/auth/logout", "/api/users/me/sessions"])
async def test_k13_a_refresh_by_a_right_clock_hides_no_token_of_the_one_ahead(backend: Backend, path: str) -> None:
    """K13: the session was given its last token by a clock that was right; an earlier one is of later."""
    clock, service = ManualClock(), Knowing()
    async with world_on(backend, clock=clock) as world:
        await world.register()
        browser = await world.sign_in()
        before = dict(browser.cookies)
        clock.set_ahead(30 * MINUTE)
        assert (await browser.post("/api/auth/refresh")).status_code == 200
        token = browser.cookies["access_token"]
        clock.set_ahead(NONE)
        async with world.env.store.transaction() as tx:
            limits = world.env.policy.sessions
            (session_id,) = {s.id for s in await tx.sessions.of_account(await _account(world), 9, clock.now())}
            assert await tx.sessions.rotate(session_id, 2, limits, clock.now())
        if path.endswith("sessions"):
            assert (await (await world.sign_in()).delete(path)).status_code == 200
        else:
            bearer = {"Authorization": f"Bearer {before['access_token']}"}
            assert (await (await world.client()).post(path, headers=bearer)).status_code == 200
        service.clock.advance(minutes=31)
        clock.advance(minutes=31)
        hear(service, world)
        with pytest.raises(SessionOverError):
            service.memory.decide(token)
        (until,) = world.env.revocations._revoked.sessions.values()
        memory = world.env.policy.revocation_memory
        assert until == pytest.approx(ManualClock().monotonic() + (30 * MINUTE + memory).total_seconds(), abs=5)


async def _account(world: World) -> str:
    account = await find_account(world.env, EMAIL)
    assert account is not None
    return account.id


def test_k13_one_that_stands_for_a_year_holds_up_none_behind_it() -> None:
    revoked = Revoked()
    revoked.end_session("of a clock ahead", until=1e8)
    revoked.end_session("over", until=10.0)
    revoked.end_session("stands", until=100.0 + USUAL_SECONDS / 2)
    assert revoked.purge(100.0) == ["over"]
    assert revoked.refuses("of a clock ahead", "", 0)
    assert revoked.refuses("stands", "", 0)
