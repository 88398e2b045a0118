"""A factor that is removed takes its sessions with it: somebody else may have it, and have signed in with it."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.factors.apps import CODES, TOTP, App, confirm, enrolled, first_step, prove, scan, second_step
from tests.stories.passkeys import MINE, add, sign_in
from tests.unit.web.authenticator_app import SECURITY

Act = Callable[["Ada"], Awaitable[None]]


class Ada:
    """Her browser, and what signs her in."""

    def __init__(self, world: World, browser: httpx.AsyncClient, app: App) -> None:
        self.world = world
        self.browser = browser
        self.app = app
        self.hardware = Authenticator()
        self.synced = Authenticator(synced=True)
        self.ids: dict[int, str] = {}

    async def add(self, authenticator: Authenticator) -> None:
        answer = await add(self.browser, authenticator)
        self.ids[id(authenticator)] = answer.json()["data"]["passkey"]["id"]

    async def remove(self, authenticator: Authenticator) -> None:
        assert (await self.browser.delete(f"{MINE}/{self.ids[id(authenticator)]}")).status_code == 200

    async def elsewhere_by(self, authenticator: Authenticator) -> httpx.AsyncClient:
        browser = await self.world.client()
        assert (await sign_in(browser, authenticator)).status_code == 200
        return browser

    async def elsewhere_by_code(self) -> httpx.AsyncClient:
        browser = await self.world.client()
        await first_step(browser)
        assert await second_step(browser, self.app.next_code()) == "ok"
        return browser


@pytest.fixture
async def ada(world: World) -> Ada:
    browser, app, _ = await enrolled(world)
    ada = Ada(world, browser, app)
    await prove(browser, app)
    await ada.add(ada.hardware)
    await ada.add(ada.synced)
    return ada


async def _remove_app(ada: Ada) -> None:
    assert (await ada.browser.delete(TOTP)).status_code == 200


async def _replace_app(ada: Ada) -> None:
    await confirm(ada.browser, (await scan(ada.world, ada.browser)).code())


async def _remove_hardware(ada: Ada) -> None:
    await ada.remove(ada.hardware)


async def _remove_synced(ada: Ada) -> None:
    await ada.remove(ada.synced)


async def _press(ada: Ada, path: str) -> None:
    """Press the button of a page of ours, in her browser."""
    del ada.browser.headers["Origin"]
    ada.browser.headers["Sec-Fetch-Site"] = "same-origin"
    page = await ada.browser.get(f"{SECURITY}{path}")
    answer = await ada.browser.post(f"{SECURITY}{path}", data={"csrf": csrf_in(page)})
    assert answer.headers["location"].startswith(f"{SECURITY}?notice=")


async def _remove_app_on_page(ada: Ada) -> None:
    await _press(ada, "/authenticator/remove")


async def _remove_hardware_on_page(ada: Ada) -> None:
    await _press(ada, f"/passkeys/{ada.ids[id(ada.hardware)]}/remove")


async def _remove_synced_on_page(ada: Ada) -> None:
    await _press(ada, f"/passkeys/{ada.ids[id(ada.synced)]}/remove")


GONE: dict[str, tuple[Act, str]] = {
    "app removed": (_remove_app, "code"),
    "app replaced": (_replace_app, "code"),
    "hardware key removed": (_remove_hardware, "hardware"),
    "synced passkey removed": (_remove_synced, "synced"),
    "app removed on the page": (_remove_app_on_page, "code"),
    "hardware key removed on the page": (_remove_hardware_on_page, "hardware"),
    "synced passkey removed on the page": (_remove_synced_on_page, "synced"),
}


@pytest.mark.parametrize("gone", GONE)
async def test_f69_the_sessions_of_a_factor_end_with_it_and_no_others(ada: Ada, gone: str) -> None:
    """At once: the next request is refused, and so is the refresh."""
    browsers = {
        "code": await ada.elsewhere_by_code(),
        "hardware": await ada.elsewhere_by(ada.hardware),
        "synced": await ada.elsewhere_by(ada.synced),
    }
    act, ended = GONE[gone]
    await act(ada)
    for name, browser in [*browsers.items(), ("her own", ada.browser)]:
        answer = await browser.get("/api/users/me")
        over = (401, "session_signed_out_elsewhere")
        assert (answer.status_code, answer.json().get("code")) == (over if name == ended else (200, None)), name
        assert (await browser.post("/api/auth/refresh")).status_code == (403 if name == ended else 200), name


async def test_f69_a_first_app_signs_out_nobody(world: World) -> None:
    """It replaces none."""
    await world.register()
    browser, other = await world.sign_in(), await world.sign_in()
    await confirm(browser, (await scan(world, browser)).code())
    assert (await other.get("/api/users/me")).status_code == 200


async def test_f69_so_do_those_of_the_last_one(world: World) -> None:
    """Nothing is left that they had proved."""
    browser, app, _ = await enrolled(world)
    ada = Ada(world, browser, app)
    other = await ada.elsewhere_by_code()
    await prove(browser, app)
    await _remove_app(ada)
    assert (await other.get("/api/users/me")).status_code == 401
    await ada.add(ada.synced)
    other = await ada.elsewhere_by(ada.synced)
    await ada.remove(ada.synced)
    assert (await other.get("/api/users/me")).status_code == 401
    assert (await browser.get("/api/users/me")).status_code == 200


@pytest.mark.parametrize("ends", ["new codes", "the last factor"])
async def test_f75_a_stolen_recovery_code_keeps_no_session(world: World, ends: str) -> None:
    """F75: once the codes are made anew, or go with the last factor: a session does not tell which code began it."""
    browser, app, codes = await enrolled(world)
    await prove(browser, app)
    key = Authenticator()
    added = await add(browser, key)
    if ends == "the last factor":
        assert (await browser.delete(TOTP)).status_code == 200
    thief = await world.client()
    await first_step(thief)
    assert await second_step(thief, codes[0]) == "ok"
    if ends == "new codes":
        assert (await browser.post(CODES)).status_code == 200
    else:
        assert (await browser.delete(f"{MINE}/{added.json()['data']['passkey']['id']}")).status_code == 200
    assert (await thief.get("/api/users/me")).status_code == 401
    assert (await browser.get("/api/users/me")).status_code == 200
