"""How and when somebody signed in: told by each token, for itself alone."""

import httpx
import pytest

from tests.harness.world import World
from tests.stories.services.test_introspect import PATH, a_service
from tests.unit.client.knowing import EXPECTED
from vestibule.client import InsufficientAuthenticationError
from vestibule.client.introspect import Introspection
from vestibule.client.memory import Memory
from vestibule.client.token_clock import TokenClock
from vestibule.flows.issue_tokens import issue_tokens
from vestibule.model import access_tokens
from vestibule.protocol.access_tokens import AccessToken
from vestibule.protocol.authentication import Level


def read(world: World, token: str) -> AccessToken:
    """The token as a service reads it."""
    return access_tokens.read(token, world.env.policy.issuer, world.env.keys.access, world.clock.now())


async def prove_two_factors(world: World, browser: httpx.AsyncClient) -> int:
    """Have the session's user sign in with a second factor now, in this browser; return that moment."""
    now, token = world.clock.now(), read(world, browser.cookies["access_token"])
    async with world.env.store.transaction() as tx:
        session = await tx.sessions.step_up(
            token.session_id, token.account_id, ("pwd", "otp", "mfa"), world.env.policy.sessions, now
        )
        account = await tx.accounts.get(token.account_id)
    assert session is not None
    assert account is not None
    tokens = await issue_tokens(world.env, session, account, now)
    for cookie in browser.cookies.jar:
        cookie.value = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}.get(
            cookie.name, cookie.value
        )
    return int(now.timestamp())


async def test_t17_a_refresh_tells_when_somebody_signed_in_and_not_when_it_was(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    first = read(world, browser.cookies["access_token"])
    assert (first.authenticated_at, first.methods, first.level) == (first.issued_at, ("pwd",), Level.ONE_FACTOR)
    world.clock.advance(minutes=10)
    assert (await browser.post("/api/auth/refresh")).status_code == 200
    second = read(world, browser.cookies["access_token"])
    assert second.issued_at == first.issued_at + 600
    assert (second.authenticated_at, second.methods) == (first.authenticated_at, first.methods)


async def test_t17_a_token_gains_nothing_by_what_its_session_proves_later(world: World) -> None:
    await world.register()
    browser, service = await world.sign_in(), await a_service(world)
    early = browser.cookies["access_token"]
    world.clock.advance(seconds=60)
    proven_at = await prove_two_factors(world, browser)
    assert (await browser.post("/api/auth/refresh")).status_code == 200

    async def told(token: str) -> str:
        return str((await service.post(PATH, data={"token": token})).json()["acr"])

    assert await told(early) == read(world, early).level.acr == Level.ONE_FACTOR.acr
    late = browser.cookies["access_token"]
    assert await told(late) == read(world, late).level.acr == Level.TWO_FACTORS.acr
    assert read(world, late).authenticated_at == proven_at


async def test_k45_a_caller_that_vestibule_was_asked_about_has_level_and_time_of_the_token(world: World) -> None:
    """K45: not those of the session, which another token of it has proven since."""
    await world.register()
    browser, service = await world.sign_in(), await a_service(world)
    early = read(world, browser.cookies["access_token"])
    asked = Introspection(service, EXPECTED, TokenClock(EXPECTED.leeway, world.clock))
    tokens = [browser.cookies["access_token"]]
    world.clock.advance(seconds=60)
    proven_at = await prove_two_factors(world, browser)
    assert (await browser.post("/api/auth/refresh")).status_code == 200
    tokens.append(browser.cookies["access_token"])
    callers = [await asked.ask(token) for token in tokens]
    told = [(caller.level, caller.authenticated_at) for caller in callers]
    assert told == [(1, early.authenticated_at), (2, proven_at)]
    world.clock.advance(seconds=300)
    callers[1].require_recent(300)
    with pytest.raises(InsufficientAuthenticationError):
        callers[0].require_recent(300)


async def test_k45_after_a_step_up_a_service_lets_in_by_the_new_token_alone(world: World) -> None:
    """K45: in memory, without a question to Vestibule."""
    memory = Memory(EXPECTED, "refuse", staleness=5, remembered=10, clock=world.clock)
    memory.keys = world.env.keys.access.checking
    await world.register()
    browser = await world.sign_in()
    world.clock.advance(minutes=6)
    early = browser.cookies["access_token"]
    memory.revoked.renew(world.clock.monotonic())
    with pytest.raises(InsufficientAuthenticationError):
        memory.decide(early).require_recent(300)
    answer = await browser.post("/api/users/me/step-up", json={"password": "correct horse"})
    assert answer.status_code == 200
    for token in (answer.json()["access_token"], early):
        memory.decide(token)  # both are remembered
    memory.decide(answer.json()["access_token"]).require_recent(300)
    with pytest.raises(InsufficientAuthenticationError):
        memory.decide(early).require_recent(300)
