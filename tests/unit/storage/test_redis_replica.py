"""The replica of live sessions on a real Redis: what it shows, and that nobody is signed in or out by losing it."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from tests.conftest import not_to_be_had
from tests.harness import servers
from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.unit.storage import an_account
from vestibule.crypto.entropy import new_id
from vestibule.model.clock import SystemClock
from vestibule.model.letters import LetterKind
from vestibule.model.sessions import Device, begin

MANY = 64


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[tuple[str, "Popen[bytes]"]]:
    """A Redis of this test's own, to be killed and paused."""
    try:
        address, process = servers.start_redis(servers.free_port(), tmp_path)
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)
        raise
    yield address, process
    process.kill()
    process.wait()


@asynccontextmanager
async def world_beside(backend: Backend, redis_url: str, redis_seconds: float) -> AsyncIterator[World]:
    """Yield a Vestibule whose clock is not behind that of its Redis, which forgets by its own."""
    async with world_on(replace(backend, redis_url=redis_url), redis_seconds=redis_seconds) as world:
        world.clock.advance(seconds=max((SystemClock().now() - world.clock.now()).total_seconds(), 0))
        await world.register()
        yield world


@pytest.fixture
async def replicated(postgresql: Backend, redis_server: tuple[str, "Popen[bytes]"]) -> AsyncIterator[World]:
    async with world_beside(postgresql, redis_server[0], redis_seconds=servers.WAIT_SECONDS) as world:
        yield world


@pytest.fixture
async def impatient(postgresql: Backend, redis_server: tuple[str, "Popen[bytes]"]) -> AsyncIterator[World]:
    """A Vestibule that waits for its Redis as briefly as a server does. A busy machine may exceed that."""
    async with world_beside(postgresql, redis_server[0], redis_seconds=0.25) as world:
        yield world


@pytest.fixture
async def redis(redis_server: tuple[str, "Popen[bytes]"]) -> AsyncIterator[Redis]:
    """The same Redis, as another service sees it."""
    async with Redis.from_url(redis_server[0], decode_responses=True) as client:
        yield client


async def test_a_sign_in_is_shown_until_its_idle_end(replicated: World, redis: Redis) -> None:
    signed_in = await replicated.sign_in()
    (key,) = await redis.keys("session:*")
    shown = json.loads(await redis.get(key))
    user = (await signed_in.get("/api/users/me")).json()["data"]["user"]
    now = replicated.clock.now()
    assert shown == {
        "sid": key.removeprefix("session:"),
        "sub": user["id"],
        "role": "user",
        "created_at": now.isoformat(),
        "expires_at": (now + POLICY.sessions.absolute).isoformat(),
    }
    assert await _end_of(redis, key) == pytest.approx((now + POLICY.sessions.idle).timestamp(), abs=0.1)


async def test_a_refresh_is_shown_until_the_new_idle_end(replicated: World, redis: Redis) -> None:
    signed_in = await replicated.sign_in()
    replicated.clock.advance(minutes=30)
    await signed_in.get("/api/auth/refresh")
    (key,) = await redis.keys("session:*")
    end = replicated.clock.now() + POLICY.sessions.idle
    assert await _end_of(redis, key) == pytest.approx(end.timestamp(), abs=0.1)


async def test_no_token_is_shown(replicated: World, redis: Redis) -> None:
    signed_in = await replicated.sign_in()
    (key,) = await redis.keys("session:*")
    everything = key + await redis.get(key)
    for name in ("access_token", "refresh_token"):
        for part in signed_in.cookies[name].split("."):
            assert part not in everything
    assert "eyJ" not in everything


async def test_signing_out_takes_one_session_away(replicated: World, redis: Redis) -> None:
    leaving = await replicated.sign_in()
    (gone,) = await redis.keys("session:*")
    await replicated.sign_in()
    await leaving.post("/api/auth/logout")
    (left,) = await redis.keys("session:*")
    assert left != gone


async def test_a_new_password_takes_every_session_away(replicated: World, redis: Redis) -> None:
    browser = await replicated.sign_in()
    await replicated.sign_in()
    assert len(await redis.keys("session:*")) == 2
    await browser.post("/api/auth/forgotpassword", json={"email": "ada@example.com"})
    await replicated.deliver()
    path = f"/api/auth/resetpassword/{replicated.secret(LetterKind.RESET_PASSWORD)}"
    body = {"password": "battery staple", "passwordConfirm": "battery staple"}
    assert (await browser.patch(path, json=body)).status_code == 200
    assert await redis.keys("session:*") == []


async def test_many_at_once_are_all_shown_and_all_taken_away(replicated: World, redis: Redis) -> None:
    account, replica = an_account(), replicated.env.replica
    now = replicated.clock.now()
    sessions = [begin(new_id(), account.id, Device("", ""), POLICY.sessions, now) for _ in range(MANY)]
    await asyncio.gather(*(replica.put(session, account) for session in sessions))
    assert sorted(await redis.keys("session:*")) == sorted(f"session:{session.id}" for session in sessions)
    await asyncio.gather(*(replica.drop([session.id]) for session in sessions))
    assert await redis.keys("session:*") == []


async def test_what_has_just_ended_is_not_shown_again(replicated: World, redis: Redis) -> None:
    """As by a request that began before the end and is done after it."""
    account, replica, now = an_account(), replicated.env.replica, replicated.clock.now()
    ended, alive = (begin(new_id(), account.id, Device("", ""), POLICY.sessions, now) for _ in range(2))
    await replica.put(ended, account)
    await replica.drop([ended.id])
    await replica.put(ended, account)
    await replica.put(alive, account)
    assert await redis.keys("session:*") == [f"session:{alive.id}"]
    assert 0 < await redis.ttl(f"ended:{ended.id}") <= 60


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "half-open"])
async def test_without_redis_everything_works_and_soon(
    impatient: World, redis_server: tuple[str, "Popen[bytes]"], blow: signal.Signals
) -> None:
    """O2: without redis everything works and soon."""
    redis_server[1].send_signal(blow)
    browser = await impatient.client()
    body = {"email": "ada@example.com", "password": "correct horse"}
    assert await _answered_soon(impatient, browser, "POST", "/api/auth/login", json=body) == 200
    for method, path in (("GET", "users/me"), ("POST", "auth/refresh"), ("GET", "users/me"), ("POST", "auth/logout")):
        assert await _answered_soon(impatient, browser, method, f"/api/{path}") == 200


async def test_an_emptied_redis_signs_nobody_out(replicated: World, redis: Redis) -> None:
    browser = await replicated.sign_in()
    await redis.flushall()
    assert (await browser.get("/api/users/me")).status_code == 200
    assert (await browser.get("/api/auth/refresh")).status_code == 200
    assert (await browser.get("/api/users/me")).status_code == 200


async def test_a_session_that_came_back_in_redis_lets_nobody_in(replicated: World, redis: Redis) -> None:
    """S7: a session that came back in redis lets nobody in."""
    browser = await replicated.sign_in()
    tokens = dict(browser.cookies)
    (key,) = await redis.keys("session:*")
    content = await redis.get(key)
    await browser.post("/api/auth/logout")
    await redis.set(key, content)
    thief = await replicated.client()
    thief.cookies.update(tokens)
    assert (await thief.get("/api/users/me")).status_code == 401
    assert (await thief.get("/api/auth/refresh")).status_code == 403


async def _answered_soon(world: World, browser: httpx.AsyncClient, method: str, path: str, **request: object) -> int:
    # Long enough after the last fault for the replica to try again, so that every request pays for it.
    world.clock.advance(seconds=2)
    begun = time.monotonic()
    answer = await browser.request(method, path, **request)
    assert time.monotonic() - begun < servers.SLACK_SECONDS
    return answer.status_code


async def _end_of(redis: Redis, key: str) -> float:
    """When Redis will forget the key, in seconds since 1970."""
    async with redis.pipeline(transaction=True) as pipeline:
        (seconds, microseconds), left = await pipeline.time().pttl(key).execute()
    return seconds + microseconds / 1e6 + left / 1e3


@pytest.mark.parametrize(("policy", "told"), [("allkeys-lru", True), ("noeviction", False)])
async def test_a_redis_that_throws_away_is_told_of_at_the_start(
    replicated: World, redis: Redis, policy: str, told: bool
) -> None:
    await redis.config_set("maxmemory-policy", policy)
    with capture_logs() as lines:
        await replicated.env.replica.check_setup()
    assert [line["maxmemory_policy"] for line in lines if line["event"] == "redis_may_forget"] == [policy] * told


@pytest.mark.parametrize("hours", [12, -12])
async def test_s15_a_pause_after_a_fault_is_a_second_by_whatever_clock(
    replicated: World, redis: Redis, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S15: a fault while the clock was wrong; then it is set right."""
    leaving = await replicated.sign_in()
    replicated.clock.set_ahead(timedelta(hours=hours))

    async def gone(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(replicated.env.replica._redis, "eval", gone)  # type: ignore[attr-defined]
        await replicated.env.replica.drop(["x"])
    replicated.clock.set_ahead(timedelta())
    replicated.clock.advance(seconds=2)
    await leaving.post("/api/auth/logout")
    assert await redis.keys("session:*") == []
