"""A browser that keeps no cookies is told so on the page that answers its form, with what was refused."""

from http.cookiejar import DefaultCookiePolicy

import httpx
import pytest

from tests.harness import dump
from tests.harness.world import World
from tests.unit.web.refused_rows import ADA, ASK_CODE, EVE, GOOD, ROWS, Row
from tests.unit.web.test_refused_forms import BROWSER, OF_ACCOUNT, with_secret, world
from vestibule.model.languages import LANGUAGES
from vestibule.web.pages.render import page_translations

pytestmark = pytest.mark.any_engine
__all__ = ["world"]  # the fixture

SAID = "Your browser keeps no cookies for this site: allow them in its settings, then try again."
FIREFOX = {**BROWSER, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
BY_AN_EARLIER_COOKIE = ("/login/second-step", "/login/enrol", "/login/email-code/enter", "/admin")
OF_STRANGERS = [row for row in ROWS if not (row.path in OF_ACCOUNT or row.path.startswith(BY_AN_EARLIER_COOKIE))]
NEEDS_COOKIES = {
    "/login": {**ADA, "password": "correct horse"},
    "/register": {"name": "Eve", **EVE, "password": GOOD},
    ASK_CODE: ADA,
    "/login/email-code/enter": {"code": "abcd-efgh"},
    "/language": {"language": "de"},
}
WORKS_WITHOUT = {"/forgotpassword": ADA, "/verifyemail": ADA}


async def firefox(world: World, *, keeps_cookies: bool = False) -> httpx.AsyncClient:
    """A browser at a page of ours."""
    await world.register()
    client = await world.client(None)
    client.headers.update(FIREFOX)
    if not keeps_cookies:
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


@pytest.mark.parametrize("row", OF_STRANGERS, ids=lambda row: row.name)
async def test_what_is_wrong_is_shown_at_once(world: World, row: Row) -> None:
    client, path = await firefox(world), await with_secret(world, row.path)
    await client.get(path)
    answer = await client.post(path, data=row.typed)
    assert answer.status_code >= 400
    assert SAID in answer.text
    assert all(f'value="{value}"' in answer.text for value in row.kept.values())
    assert row.path in NEEDS_COOKIES or row.said in answer.text


@pytest.mark.parametrize("path", NEEDS_COOKIES)
async def test_what_needs_cookies_is_not_begun(world: World, path: str) -> None:
    client = await firefox(world)
    before = await dump.tables(world)
    answer = await client.post(path, data=NEEDS_COOKIES[path])
    assert (answer.status_code, SAID in answer.text) == (400, True)
    assert await dump.tables(world) == before


@pytest.mark.parametrize("path", WORKS_WITHOUT)
async def test_what_needs_none_works(world: World, path: str) -> None:
    answer = await (await firefox(world)).post(path, data=WORKS_WITHOUT[path])
    assert answer.headers["location"].startswith("/checkemail")


@pytest.mark.parametrize("path", NEEDS_COOKIES)
async def test_a_browser_that_keeps_them_is_told_nothing(world: World, path: str) -> None:
    client = await firefox(world, keeps_cookies=True)
    assert "cookies_kept=true" in (await client.get("/login")).headers["set-cookie"]
    answer = await client.post(path, data=NEEDS_COOKIES[path])
    assert answer.status_code == 303
    assert SAID not in (await client.get(answer.headers["location"])).text


@pytest.mark.parametrize("headers", [{"User-Agent": "curl/8.14.1"}, {"Accept": "*/*"}], ids=["curl", "no page"])
async def test_a_program_is_told_nothing(world: World, headers: dict[str, str]) -> None:
    client = await firefox(world)
    answer = await client.post("/login", data=NEEDS_COOKIES["/login"], headers=headers)
    assert answer.headers["location"] == "/profile"


async def test_a_browser_that_sends_a_cookie_gets_no_other(world: World) -> None:
    client = await firefox(world, keeps_cookies=True)
    client.cookies.set("language", "en")
    assert "set-cookie" not in (await client.get("/login")).headers


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_is_said_in_every_language(world: World, language: str) -> None:
    client = await firefox(world)
    answer = await client.post("/login", data=NEEDS_COOKIES["/login"], headers={"Accept-Language": language})
    assert page_translations(language).gettext(SAID).replace("'", "&#39;") in answer.text
