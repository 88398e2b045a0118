"""Where somebody was going is kept from the sign-in page through sign-up, a forgotten password and their emails."""

import re

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import FRONT_END, World, mandatory_verification, world_on
from vestibule.model.letters import LetterKind
from vestibule.web.pages.return_to import allowed_target

TARGET = "/orders/7?tab=2"
QUERY = "return_to=%2Forders%2F7%3Ftab%3D2"
TO_THE_API = ["/api/auth/logout", "/api/auth/logout/", "/API/auth/logout", "/api", "/api?x=1", "/api/auth/refresh"]


def field(page: httpx.Response) -> str | None:
    """What the page's own form carries."""
    form = re.search(r'<form method="post"[^>]*novalidate>(.*?)</form>', page.text, re.DOTALL)
    assert form, page.text
    found = re.search(r'name="return_to" value="([^"]*)"', form[1])
    return found[1] if found else None


async def signs_in(browser: httpx.AsyncClient, password: str) -> str:
    """Where the sign-in page leads, asked for without saying where to."""
    going = field(await browser.get("/login"))
    form = {"email": "ada@example.com", "password": password} | ({"return_to": going} if going else {})
    answer = await browser.post("/login", data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def sign_up(browser: httpx.AsyncClient, **more: str) -> None:
    form = {"name": "Ada", "email": "ada@example.com", "password": "correct horse", "passwordConfirm": "correct horse"}
    answer = await browser.post("/register", data=form | more)
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("page", ["/login", "/register", "/forgotpassword"])
async def test_b3_every_page_on_the_way_carries_it_in_its_form_and_its_links(world: World, page: str) -> None:
    """B3: and each link leads on with it."""
    browser = await world.client(None)
    shown = await browser.get(f"{page}?{QUERY}")
    assert field(shown) == TARGET
    links = re.findall(r'href="(/(?:login|register|forgotpassword)[^"]*)"', shown.text)
    assert links
    assert all(link.endswith(f"?{QUERY}") for link in links), links


async def test_it_is_kept_through_sign_up_and_its_email(backend: Backend) -> None:
    async with world_on(backend, mandatory_verification()) as world:
        browser = await world.client(None)
        await browser.get(f"/register?{QUERY}")
        await sign_up(browser, return_to=TARGET)
        await world.deliver()
        await browser.post(f"/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
        assert await signs_in(browser, "correct horse") == TARGET
        assert await signs_in(await world.client(None), "correct horse") == "/profile", "nobody else is led there"


async def test_it_is_kept_through_a_forgotten_password(world: World) -> None:
    await world.register()
    browser = await world.client(None)
    await browser.get(f"/login?{QUERY}")
    await browser.post("/forgotpassword", data={"email": "ada@example.com"})
    await world.deliver()
    form = {"password": "another horse", "passwordConfirm": "another horse"}
    reset = await browser.post(f"/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}", data=form)
    assert reset.status_code == 303, reset.text
    assert await signs_in(browser, "another horse") == TARGET


async def test_who_has_arrived_is_not_led_there_again(world: World) -> None:
    await world.register()
    browser = await world.client(None)
    await browser.get(f"/login?{QUERY}")
    assert await signs_in(browser, "correct horse") == TARGET
    browser.cookies = httpx.Cookies({"return_to": browser.cookies.get("return_to") or ""})
    assert await signs_in(browser, "correct horse") == "/profile"


@pytest.mark.parametrize("target", TO_THE_API)
def test_b3_none_leads_to_the_api_where_a_get_signs_out(target: str) -> None:
    """B3: on our own host, or on a front-end's that hands the API on."""
    assert allowed_target(target, {FRONT_END}) is None
    assert allowed_target(FRONT_END + target, {FRONT_END}) is None


@pytest.mark.parametrize("kept", ["https%3A//evil.example/", "//evil.example", "/api/auth/logout", "%00", "%zz"])
async def test_b3_a_cookie_that_somebody_planted_leads_nowhere_else(world: World, kept: str) -> None:
    """B3: it is read as strictly as the query."""
    await world.register()
    browser = await world.client(None)
    browser.cookies.set("return_to", kept)
    assert await signs_in(browser, "correct horse") == "/profile"
