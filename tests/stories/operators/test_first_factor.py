"""An operator without a second factor opens the console: the factor is set up, and the console is where that ends."""

import re
from html import unescape

import pyotp

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.operators.people import Browser, operator_in
from tests.stories.operators.test_matrix import WITHOUT_FACTOR
from tests.unit.web.authenticator_app import APP, CODES
from vestibule.flows.create_account import create_account
from vestibule.model.accounts import Role
from vestibule.model.operators import COMMAND_LINE

WANTED = "/admin/people"
WAIT = "Wait until the app shows the next one."


async def without_factor(world: World) -> Browser:
    """An admin who signed in on the page, by password alone."""
    account, password = await create_account(world.env, COMMAND_LINE, "Olive", "olive@example.com", Role.ADMIN)
    client = await world.client("http://localhost:8000")
    assert (await client.post("/login", data={"email": account.email, "password": password})).status_code == 303
    return Browser(client, account, {})


async def link_to(browser: Browser, page: str, beginning: str) -> str:
    """The link of a page that begins so."""
    text = (await browser.client.get(page)).text
    return unescape(re.findall(rf'href="({re.escape(beginning)}[^"]*)"', text)[0])


async def set_up_from(browser: Browser, world: World, path: str) -> pyotp.TOTP:
    """Set an app up as the forms of its page say, and put the recovery codes away; the browser is at `path` then."""
    client = browser.client
    begun = await client.post(f"{APP}/new", data=fields_of((await client.get(path)).text))
    assert begun.status_code == 303, begun.text
    page = (await client.get(begun.headers["location"])).text
    app = pyotp.TOTP(re.findall(r'<code id="key">([A-Z2-7 ]+)</code>', page)[0].replace(" ", ""))
    shown = await client.post(APP, data={**fields_of(page), "code": app.at(world.clock.now())})
    assert shown.status_code == 303, shown.text
    assert shown.headers["location"].startswith(CODES)
    saved = (await client.get(shown.headers["location"])).text
    kept = await client.post(CODES, data=fields_of(saved))
    assert kept.headers["location"] == WANTED
    return app


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the page's own form."""
    form = page.partition("<main")[2].partition("</main>")[0]
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}


async def test_setting_up_the_first_factor_ends_at_the_console_that_was_opened(world: World) -> None:
    olive = await without_factor(world)
    sent = (await olive.client.get(WANTED)).headers["location"]
    assert sent.startswith("/profile/security?notice=factor_needed")
    app = await set_up_from(olive, world, await link_to(olive, sent, APP))
    asked = (await olive.client.get(WANTED)).headers["location"]
    page = await olive.client.get(asked)
    assert WAIT in page.text, "confirming the app was no step-up, and spent its code"
    world.clock.advance(seconds=30)
    page = await olive.client.get(asked)
    assert WAIT not in page.text
    answer = await olive.client.post(
        "/reauthenticate", data={**fields_of(page.text), "code": app.at(world.clock.now())}
    )
    assert answer.headers["location"] == WANTED
    assert (await olive.client.get(WANTED)).status_code == 200


async def test_a_passkey_is_added_on_the_same_way(world: World) -> None:
    olive = await without_factor(world)
    sent = (await olive.client.get(WANTED)).headers["location"]
    page = (await olive.client.get(await link_to(olive, sent, "/profile/security/passkeys/new"))).text
    assert fields_of(page)["return_to"] == WANTED


async def test_nobody_is_led_to_another_site_by_a_link_to_the_security_page(world: World) -> None:
    olive = await operator_in(world, Role.ADMIN, WITHOUT_FACTOR)
    for target in ("https://evil.example/", "//evil.example", "/api/auth/logout"):
        page = await olive.client.get("/profile/security", params={"return_to": target})
        assert "?return_to" not in page.text.partition("<main")[2].partition("</main>")[0]
        assert csrf_in(page)
