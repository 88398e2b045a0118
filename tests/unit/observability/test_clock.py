"""A process whose clock is not that of its database: it answers nobody, says why, and comes back by itself."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from tests.harness.backends import Backend
from tests.harness.world import World, world_on
from vestibule.crypto.opaque import mint_secret
from vestibule.flows.be_ready import check_clock, hindrances
from vestibule.flows.feed_services import Heartbeat, feed_service
from vestibule.flows.follow_revocations import read_whole_backlog
from vestibule.model.clock import SystemClock
from vestibule.state.readiness import Hindrance
from vestibule.storage.sql.clock import DatabaseClock
from vestibule.storage.sql.store import SqlStore
from vestibule.web.api.services import as_event
from vestibule.wiring import background

NONE, HOURS, DAYS = timedelta(), timedelta(hours=2), timedelta(days=400)
BODY = {"name": "Ada", "email": "ada@example.com", "password": "correct horse", "passwordConfirm": "correct horse"}
SECRET = mint_secret()
ASKED = [
    ("GET", "/api/users/me"),
    ("GET", "/api/auth/verify"),
    ("GET", "/api/users/me/sessions"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/forgotpassword"),
    ("PATCH", f"/api/auth/resetpassword/{SECRET}"),
    ("GET", f"/api/auth/verifyemail/{SECRET}"),
    ("DELETE", "/api/users/me/sessions"),
]


@pytest.fixture
async def beside_another_clock(postgresql: Backend) -> AsyncIterator[World]:
    """A Vestibule that compares its clock with PostgreSQL's, and somebody signed in."""
    async with world_on(postgresql) as world:
        world.clock.advance(seconds=(SystemClock().now() - world.clock.now()).total_seconds())
        env = world.env
        object.__setattr__(env, "database_clock", DatabaseClock(world.engines))
        object.__setattr__(env, "store", SqlStore(world.engines, env.readiness.require_clock))
        await read_whole_backlog(env)
        await world.register()
        yield world


async def answers(browser: httpx.AsyncClient, cookies: dict[str, str]) -> list[int]:
    statuses = []
    for method, path in ASKED:
        browser.cookies.clear()
        browser.cookies.update(cookies)
        content = {"json": BODY} if method in {"POST", "PATCH"} else {}
        statuses.append((await browser.request(method, path, **content)).status_code)
    return statuses


@pytest.mark.parametrize("lead", [HOURS, -HOURS, DAYS, -DAYS, timedelta(seconds=75), timedelta(seconds=-75)])
async def test_s14_while_its_clock_is_not_the_database_s_it_answers_nobody(
    beside_another_clock: World, lead: timedelta
) -> None:
    """S14: neither from memory nor by the database, and no balancer sends it anything; until the clock is set right."""
    world, env = beside_another_clock, beside_another_clock.env
    browser = await world.sign_in()
    cookies = dict(browser.cookies)
    assert (await browser.get("/api/users/me")).status_code == 200
    world.clock.set_ahead(lead)
    with capture_logs() as log:
        for _ in range(2):
            assert not await check_clock(env)
    (line,) = [one for one in log if one["event"] == "clock_differs"]
    assert "timedatectl" in line["hint"]
    assert line["seconds"] == pytest.approx(abs(lead.total_seconds()), abs=60)
    assert hindrances(env) == [Hindrance.CLOCK_DIFFERS]
    client = await world.client(origin=None)
    assert [(await client.get(f"/healthz/{what}")).status_code for what in ("live", "ready")] == [200, 503]
    world.clock.set_ahead(NONE)  # a moment before the next look: what it knows of the clock decides
    assert await answers(browser, cookies) == [503] * len(ASKED)
    assert await check_clock(env)
    await read_whole_backlog(env)
    assert (await client.get("/healthz/ready")).status_code == 200
    browser.cookies.update(cookies)
    assert (await browser.get("/api/users/me")).status_code == 200


@pytest.mark.parametrize("lead", [timedelta(seconds=40), timedelta(seconds=-40)])
async def test_s14_clocks_may_differ_by_less(beside_another_clock: World, lead: timedelta) -> None:
    beside_another_clock.clock.set_ahead(lead)
    assert await check_clock(beside_another_clock.env)


async def test_s14_it_starts_without_relying_on_anything_and_tells_services_so(beside_another_clock: World) -> None:
    """S14: what is true has never been known here; that is no number of JSON's."""
    world, env = beside_another_clock, beside_another_clock.env
    world.clock.set_ahead(HOURS)
    async with background.running(env):
        assert not env.revocations.trusted(env.clock.monotonic())
        with env.feed.following("k") as follower:
            told = [one for telling in [feed_service(env, follower)] for _ in range(2) for one in await anext(telling)]
    (beat,) = [one for one in told if isinstance(one, Heartbeat)]
    assert env.clock.monotonic() - beat.true_at > env.policy.revocation_staleness.total_seconds()
    assert "Infinity" not in as_event(beat)


async def test_s14_where_there_is_none_but_its_own_nothing_is_compared(world: World) -> None:
    clock = DatabaseClock(world.engines)
    assert (await clock.now() is None) == (world.engines.dialect == "sqlite")
    assert await check_clock(world.env)
