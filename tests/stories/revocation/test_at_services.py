"""What services are told holds while a token may live, whatever is set today and was set when it was issued."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.world import POLICY, World, world_on
from tests.unit.client.knowing import Knowing
from vestibule.client import SessionOverError, TokenInvalidError
from vestibule.client.events import EventParser
from vestibule.flows.follow_revocations import purge_old_revocations
from vestibule.model.policy import Policy
from vestibule.web.api.services import as_event

VERIFY = "/api/auth/verify"
LEEWAY = POLICY.issuer.leeway.total_seconds()
MINUTE = timedelta(minutes=1)
LONG, SHORT = replace(POLICY, access_lifetime=60 * MINUTE), replace(POLICY, access_lifetime=MINUTE)


@asynccontextmanager
async def running(backend: Backend, policy: Policy, clock: ManualClock) -> AsyncIterator[World]:
    """A server on this database, from its start to its end."""
    async with world_on(backend, policy=policy, clock=clock) as world:
        yield world


def follow(service: Knowing, world: World) -> None:
    """The service begins to follow: it is told what stands, and hears a heartbeat."""
    now = world.clock.monotonic()
    for notices in world.env.revocations.still_in_force(0, now):
        for event in EventParser().feed(as_event(notices).encode()):
            service.memory.revoked.learn(event.data, now)
    beat(service)


def beat(service: Knowing) -> None:
    service.memory.revoked.renew(service.clock.monotonic())
    service.memory.revoked.purge(service.clock.monotonic())


async def test_k6_a_log_out_outlives_a_token_of_longer_life_than_is_set_today(backend: Backend) -> None:
    """Issued for an hour; then the life is lowered to a minute, and somebody signs out."""
    service = Knowing()
    clock = service.clock
    async with running(backend, LONG, clock) as world:
        await world.register()
        token = (await world.sign_in()).cookies["access_token"]
    clock.advance(minutes=2)
    async with running(backend, SHORT, clock) as world:
        follow(service, world)
        assert service.memory.decide(token)
        gone = await (await world.client()).post("/api/auth/logout", headers={"Authorization": f"Bearer {token}"})
        assert gone.status_code == 200
        follow(service, world)
        refuses(service, token)
        for _ in range(29):
            clock.advance(minutes=1)
            beat(service)
            refuses(service, token)
    async with running(backend, SHORT, clock) as world:
        await purge_old_revocations(world.env)
        late = Knowing()
        late.clock.advance(seconds=clock.monotonic() - late.clock.monotonic())
        follow(late, world)
        for _ in range(28):
            late.clock.advance(minutes=1)
            beat(late)
            refuses(late, token)


def refuses(service: Knowing, token: str) -> None:
    with pytest.raises(SessionOverError):
        service.memory.decide(token)


@pytest.mark.parametrize("rotate", [True, False])
async def test_k7_no_access_token_outlives_the_idle_end_of_its_session(backend: Backend, rotate: bool) -> None:
    """Without rotation a refresh does not move the idle end, and services know of that end by the token alone."""
    limits = replace(POLICY.sessions, idle=20 * MINUTE, rotate=rotate)
    async with world_on(backend, policy=replace(POLICY, sessions=limits)) as world:
        await world.register()
        browser = await world.sign_in()
        service = Knowing()
        for _ in range(2):
            world.clock.advance(minutes=9)
            assert (await browser.post("/api/auth/refresh")).status_code == 200
        token = browser.cookies["access_token"]
        known = {"Authorization": f"Bearer {token}"}
        async with world.env.store.reading() as read:
            session = await read.sessions.find((await browser.get(VERIFY, headers=known)).headers["vestibule-session"])
        assert session is not None
        world.clock.advance(seconds=(session[0].idle_expires_at - world.clock.now()).total_seconds())
        assert (await browser.get(VERIFY, headers=known)).status_code == 401
        service.clock.advance(seconds=world.clock.monotonic() - service.clock.monotonic() + LEEWAY)
        beat(service)
        with pytest.raises(TokenInvalidError):
            service.memory.decide(token)
