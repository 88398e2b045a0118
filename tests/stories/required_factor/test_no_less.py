"""F48: who has a factor keeps one, and sessions that began without one end, and say why."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from httpx import Response

from tests.harness import dump
from tests.harness.authenticator import Authenticator
from tests.harness.backends import Backend
from tests.harness.world import World
from tests.stories.factors import apps
from tests.stories.factors.apps import App, listed, prove
from tests.stories.passkeys import MINE, ask
from tests.stories.passkeys import add as add_passkey
from tests.stories.passkeys import step_up as step_up_by_passkey
from tests.stories.required_factor import Browser, code_of, enrolled, requiring, switch
from vestibule.flows.identify import read_token
from vestibule.model.factors import SecondFactorRule
from vestibule.protocol.authentication import Level, Method

OFFERED, REQUIRED = SecondFactorRule.OFFERED, SecondFactorRule.REQUIRED


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    async with requiring(backend) as world:
        yield world


async def removed(browser: Browser) -> str:
    return str(code_of(await browser.delete(apps.TOTP)))


async def test_f48_the_last_factor_stays(world: World) -> None:
    """F48: refused with a sentence; nothing is changed, neither the app nor its recovery codes."""
    browser, app, _ = await enrolled(world)
    answer = await browser.delete(apps.TOTP)
    assert (answer.status_code, answer.json()) == (
        409,
        {
            "status": "fail",
            "code": "last_factor",
            "message": "Your account needs a second factor; add another one before you remove this one",
        },
    )
    mine = await listed(browser)
    assert (mine["totp"] is not None, mine["recovery_codes_left"]) == (True, 10)
    await apps.first_step(again := await world.client())
    assert await apps.second_step(again, app.next_code()) == "ok"


async def test_f48_one_of_two_goes_and_the_other_stays(world: World) -> None:
    """F48: in either order, an app and a passkey."""
    browser, _, _ = await enrolled(world)
    key = Authenticator()
    assert (await add_passkey(browser, key)).status_code == 201
    assert await removed(browser) == "ok"
    (passkey,) = (await browser.get(MINE)).json()["data"]["passkeys"]
    assert code_of(await browser.delete(f"{MINE}/{passkey['id']}")) == "last_factor"
    app, codes = await apps.enrol(world, browser)
    assert codes == [], "it is not the first one"
    assert app
    assert (await step_up_by_passkey(browser, key)).status_code == 200
    assert code_of(await browser.delete(f"{MINE}/{passkey['id']}")) == "ok"
    assert (await listed(browser))["recovery_codes_left"] == 10


async def test_f48_a_new_app_takes_the_place_of_the_old_one(world: World) -> None:
    browser, _, _ = await enrolled(world)
    new, _ = await apps.enrol(world, browser)
    await apps.first_step(again := await world.client())
    assert await apps.second_step(again, new.next_code()) == "ok"


@pytest.mark.any_engine
async def test_f48_where_it_is_offered_or_for_admins_alone_others_remove_theirs(world: World) -> None:
    browser, app, _ = await enrolled(world)
    switch(world, SecondFactorRule.REQUIRED_FOR_ADMINS)
    assert await removed(browser) == "ok"
    assert app
    await world.sign_in()


async def test_f48_a_session_from_before_ends_at_its_refresh_and_says_why(world: World) -> None:
    """F48: with or without a factor by now; for every service at once, and once and for all."""
    switch(world, OFFERED)
    browser = await world.sign_in()
    token = {"Authorization": f"Bearer {browser.cookies['access_token']}"}
    switch(world, REQUIRED)
    for _ in range(2):
        answer = await browser.post("/api/auth/refresh")
        assert (answer.status_code, answer.json()) == (
            403,
            {
                "status": "fail",
                "code": "session_second_factor_required",
                "message": "Could not refresh access token",
            },
        )
    gone = await (await world.client()).get("/api/users/me", headers=token)
    assert (gone.status_code, code_of(gone)) == (401, "session_second_factor_required")
    tables = await dump.tables(world)
    assert len(tables["revocations"]) == 1
    switch(world, OFFERED)
    assert code_of(await browser.post("/api/auth/refresh")) == "session_second_factor_required"


async def _stepped_up(world: World) -> tuple[Browser, Browser, App]:
    """Two tabs of one session that began without a factor; in the first one it was added and used since."""
    switch(world, OFFERED)
    browser, tab = await world.sign_in(), await world.client()
    tab.cookies.update(browser.cookies)
    app, _ = await apps.enrol(world, browser)
    await prove(browser, app)
    switch(world, REQUIRED)
    return browser, tab, app


async def test_f48_a_session_that_was_stepped_up_goes_on(world: World) -> None:
    """F48: an older token of it gets nothing, and signs nobody out."""
    browser, tab, _ = await _stepped_up(world)
    assert code_of(await tab.post("/api/auth/refresh")) == "session_second_factor_required"
    for _ in range(3):
        assert code_of(await browser.post("/api/auth/refresh")) == "ok"
        assert (await browser.get("/api/users/me")).status_code == 200


@pytest.mark.any_engine
async def test_f48_whoever_is_signed_in_from_before_can_still_add_a_factor(world: World) -> None:
    """F48: in the minutes until the access token runs out; a step-up with it keeps the session."""
    switch(world, OFFERED)
    browser = await world.sign_in()
    switch(world, REQUIRED)
    app, _ = await apps.enrol(world, browser)
    await prove(browser, app)
    assert code_of(await browser.post("/api/auth/refresh")) == "ok"


@pytest.mark.any_engine
async def test_f48_a_passkey_alone_is_enough(world: World) -> None:
    """F48: its user was verified, so it is two factors."""
    browser, _, _ = await enrolled(world)
    key = Authenticator()
    assert (await add_passkey(browser, key)).status_code == 201
    other = await world.client()
    answer = await other.post("/api/auth/passkeys/verify", json={"credential": key.get(await ask(other))})
    assert answer.status_code == 200, answer.text
    assert code_of(await other.post("/api/auth/refresh")) == "ok"


async def renew(browser: Browser) -> Response:
    return await browser.post("/api/auth/refresh")


async def change_password(browser: Browser) -> Response:
    sent = {"currentPassword": apps.PASSWORD, "password": "battery staple", "passwordConfirm": "battery staple"}
    return await browser.patch("/api/users/me/password", json=sent)


@pytest.mark.parametrize(
    ("ask", "code"),
    [(renew, "session_second_factor_required"), (change_password, "second_factor_enrolment_required")],
)
@pytest.mark.parametrize("kind", ["app", "passkey"])
async def test_f48_what_the_last_factor_proved_goes_with_it(
    world: World, ask: Callable[[Browser], Awaitable[Response]], code: str, kind: str
) -> None:
    """F48: the rule is switched on after it was removed. The sessions that it had signed in get no more tokens."""
    browser, app, _ = await enrolled(world)
    switch(world, OFFERED)
    await prove(browser, app)
    last = apps.TOTP
    if kind == "passkey":
        last = f"{MINE}/{(await add_passkey(browser, Authenticator())).json()['data']['passkey']['id']}"
        assert (await browser.delete(apps.TOTP)).status_code == 200
    assert (await browser.delete(last)).status_code == 200
    switch(world, REQUIRED)
    assert code_of(await ask(browser)) == code


async def test_f48_a_session_that_lost_its_last_factor_goes_on_with_less(world: World) -> None:
    """F48: where the rule is not in force, the session that removed it is of level 1 from its next refresh on; the
    others, which had been signed in with it, have ended (F69).
    """
    browser, app, _ = await enrolled(world)
    other = await world.client()
    await apps.first_step(other)
    assert await apps.second_step(other, app.next_code()) == "ok"
    switch(world, OFFERED)
    await prove(browser, app)
    assert (await browser.delete(apps.TOTP)).status_code == 200
    assert (await renew(other)).status_code == 403
    token = await read_token(world.env, (await renew(browser)).json()["access_token"])
    assert (token.level, Method.MORE_THAN_ONE_FACTOR in token.methods) == (Level.ONE_FACTOR, False)
