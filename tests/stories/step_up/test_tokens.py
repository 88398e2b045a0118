"""A step-up gives the session new tokens; what was issued before goes on, and says what it said."""

import asyncio

import httpx

from tests.harness.world import World
from vestibule.flows.follow_revocations import read_whole_backlog
from vestibule.flows.identify import identify, read_token
from vestibule.model import access_tokens, refresh_tokens
from vestibule.model.refresh_tokens import RefreshToken
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.protocol.access_tokens import AccessToken

STEP_UP, ME, REFRESH = "/api/users/me/step-up", "/api/users/me", "/api/auth/refresh"
PASSWORD = {"password": "correct horse"}
MINUTE = 60


def access_of(world: World, browser: httpx.AsyncClient) -> AccessToken:
    """What the access token in the cookie says."""
    text = browser.cookies["access_token"]
    return access_tokens.read(text, world.env.policy.issuer, world.env.keys.access, world.clock.now())


def refresh_of(world: World, browser: httpx.AsyncClient) -> RefreshToken:
    """What the refresh token in the cookie says."""
    text = browser.cookies["refresh_token"]
    return refresh_tokens.read(text, world.env.policy.issuer, world.env.keys.refresh, world.clock.now())


async def copy_of(world: World, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """Somebody with the same cookies."""
    thief = await world.client()
    thief.cookies.update(browser.cookies)
    return thief


async def test_f20_the_session_goes_on_with_new_tokens(world: World) -> None:
    """F20: the same `sid`, tokens of now, and cookies as at a sign-in."""
    await world.register()
    browser = await world.sign_in()
    before = access_of(world, browser)
    world.clock.advance(seconds=MINUTE)
    answer = await browser.post(STEP_UP, json=PASSWORD)
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    assert answer.json()["access_token"] == browser.cookies["access_token"]
    after = access_of(world, browser)
    assert (after.session_id, after.account_id) == (before.session_id, before.account_id)
    assert (after.methods, after.authenticated_at) == (("pwd",), before.authenticated_at + MINUTE)
    assert after.id != before.id
    world.clock.advance(seconds=MINUTE)
    assert (await browser.post(REFRESH)).status_code == 200
    assert access_of(world, browser).authenticated_at == after.authenticated_at
    assert (await browser.get(ME)).status_code == 200


async def test_f21_older_tokens_gain_nothing(world: World) -> None:
    """F21: nor do the successors of an older refresh token, neither within the grace nor after it."""
    await world.register()
    browser = await world.sign_in()
    first = access_of(world, browser).authenticated_at
    thief = await copy_of(world, browser)
    world.clock.advance(seconds=MINUTE)
    assert (await browser.post(STEP_UP, json=PASSWORD)).status_code == 200
    assert (await identify(world.env, thief.cookies["access_token"])).authenticated_at == first
    assert (await identify(world.env, browser.cookies["access_token"])).authenticated_at == first + MINUTE
    for seconds in (1, 11, 11):
        world.clock.advance(seconds=seconds)
        late = await copy_of(world, thief)
        if (await late.post(REFRESH)).status_code == 200:
            assert access_of(world, late).authenticated_at == first
            assert refresh_of(world, late).authenticated_at == first
    assert access_of(world, browser).authenticated_at == first + MINUTE


async def test_f21_each_token_is_identified_as_itself(world: World) -> None:
    """F21: from memory, after a look-up, and where requests with different tokens share one."""
    await world.register()
    browser = await world.sign_in()
    old = browser.cookies["access_token"]
    world.clock.advance(seconds=MINUTE)
    await browser.post(STEP_UP, json=PASSWORD)
    new = browser.cookies["access_token"]
    moments = {token: (await read_token(world.env, token)).authenticated_at for token in (old, new)}
    assert moments[new] == moments[old] + MINUTE
    await read_whole_backlog(world.env)  # from here on, memory may answer
    now, session_id = world.clock.now(), access_of(world, browser).session_id
    for order in ((old, new), (new, old)):
        world.env.memory.drop(Revocation(now, RevocationKind.SESSION, session_id, now))
        misses = world.env.memory.misses
        shared = await asyncio.gather(*(identify(world.env, token) for token in order))
        assert world.env.memory.misses == misses + 2
        remembered = [await identify(world.env, token) for token in order]
        assert world.env.memory.misses == misses + 2
        for callers in (shared, remembered):
            assert [caller.authenticated_at for caller in callers] == [moments[token] for token in order]


async def test_f22_a_wrong_password_changes_nothing(world: World) -> None:
    """F22: and nothing changes by it (`test_g4_every_way_in_shares_the_count` has the count)."""
    await world.register()
    browser = await world.sign_in()
    tokens = dict(browser.cookies)
    world.clock.advance(seconds=MINUTE)
    wrong = await browser.post(STEP_UP, json={"password": "wrong horse"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    assert dict(browser.cookies) == tokens
    assert access_of(world, browser).authenticated_at == int(world.clock.now().timestamp()) - MINUTE


async def test_f23_a_step_up_beside_tabs_that_refresh_signs_nobody_out(world: World) -> None:
    """F23: whichever answer the jar keeps."""
    await world.register()
    browser = await world.sign_in()
    for number in range(6):
        world.clock.advance(minutes=5)
        stale = await copy_of(world, browser)
        tabs = [await copy_of(world, browser) for _ in range(4)]
        acts = [tab.post(REFRESH) for tab in tabs]
        acts.insert(number % 5, browser.post(STEP_UP, json=PASSWORD))
        assert [answer.status_code for answer in await asyncio.gather(*acts)] == [200] * 5
        now = int(world.clock.now().timestamp())
        assert access_of(world, browser).authenticated_at == now
        assert {access_of(world, tab).authenticated_at for tab in tabs} == {access_of(world, stale).authenticated_at}
        browser = (browser, tabs[0])[number % 2]
        world.clock.advance(seconds=11)
        for _ in range(2):
            assert (await browser.post(REFRESH)).status_code == 200
        assert (await browser.post(STEP_UP, json=PASSWORD)).status_code == 200
