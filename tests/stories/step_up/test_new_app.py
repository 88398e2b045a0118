"""Confirming a new authenticator app is no step-up: the next change of a factor asks for one, by API, page and kit."""

import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.factors.apps import CODES, TOTP, confirm, enrolled, prove, scan
from tests.stories.step_up.test_tokens import access_of
from tests.unit.client.knowing import EXPECTED
from tests.unit.web.authenticator_app import APP, SECURITY, turn_on
from tests.unit.web.people import ada
from vestibule.client import InsufficientAuthenticationError
from vestibule.client.memory import Memory

NEXT = [("DELETE", TOTP), ("POST", TOTP), ("POST", CODES), ("POST", "/api/users/me/factors/passkeys/options")]


@pytest.mark.parametrize(("method", "path"), NEXT)
async def test_f25_a_new_app_is_no_step_up_by_the_api(world: World, method: str, path: str) -> None:
    """F25: the first app; the session's token is the one from before."""
    browser, app, _ = await enrolled(world)
    asked = await browser.request(method, path)
    assert (asked.status_code, asked.json()["code"]) == (403, "reauthentication_required")
    await prove(browser, app)
    assert (await browser.request(method, path)).status_code == 200


async def test_f25_an_app_in_place_of_another_renews_no_step_up(world: World) -> None:
    """F25: five minutes after the last step-up another one is asked for, although the new app was just confirmed."""
    browser, app, _ = await enrolled(world)
    await prove(browser, app)
    before = access_of(world, browser).authenticated_at
    new = await scan(world, browser)
    world.clock.advance(seconds=299)
    await confirm(browser, new.code())
    world.clock.advance(seconds=2)
    assert access_of(world, browser).authenticated_at == before
    assert (await browser.post(CODES)).json()["code"] == "reauthentication_required"


@pytest.mark.any_engine
@pytest.mark.parametrize("path", [f"{APP}/remove", f"{APP}/new", f"{SECURITY}/recovery-codes/new"])
async def test_f25_nor_by_the_pages(world: World, path: str) -> None:
    browser = await ada(world)
    form = {"csrf": csrf_in(await browser.get(APP))}
    assert (await turn_on(world, browser)).status_code == 303
    answer = await browser.post(path, data=form)
    assert answer.headers["location"].startswith("/reauthenticate?")
    assert "Remove authenticator app" in (await browser.get(SECURITY)).text


async def test_f25_nor_for_a_service(world: World) -> None:
    """F25: the kit takes level and time from the token, which a step-up alone replaces by another."""
    memory = Memory(EXPECTED, "refuse", staleness=5, remembered=10, clock=world.clock)
    memory.keys = world.env.keys.access.checking
    browser, app, _ = await enrolled(world)
    memory.revoked.renew(world.clock.monotonic())
    with pytest.raises(InsufficientAuthenticationError):
        memory.decide(browser.cookies["access_token"]).require_level(2)
    assert (await browser.post("/api/auth/refresh")).status_code == 200
    with pytest.raises(InsufficientAuthenticationError):
        memory.decide(browser.cookies["access_token"]).require_level(2)
    await prove(browser, app)
    memory.revoked.renew(world.clock.monotonic())
    memory.decide(browser.cookies["access_token"]).require_level(2)
