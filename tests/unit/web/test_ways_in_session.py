"""A browser that has a session is never led to sign in or to sign up: it is shown the ways to its account."""

import re

import httpx
import pytest

from tests.harness.world import World
from tests.unit.web.people import ada
from tests.unit.web.test_dead_links import main_of
from vestibule.model.letters import LetterKind
from vestibule.web import cookies

pytestmark = pytest.mark.any_engine
TO_SIGN_IN = re.compile(r'href="/(?:login|register)|[Ss]ign in(?: |\.|<)')
_DEAD = "0" * 64
PAGES = {
    "/nowhere": 404,
    "/profile/nowhere": 404,
    "/logout": 405,
    f"/login?return_to=/{'a' * 2000}": 414,
    f"/verifyemail/{_DEAD}": 403,
    f"/resetpassword/{_DEAD}": 403,
    f"/confirmemail/{_DEAD}": 403,
    "/forgotpassword": 200,
    "/verifyemail": 200,
    "/checkemail?about=reset": 200,
}


@pytest.mark.parametrize("path", PAGES)
async def test_the_page_leads_to_the_account_where_there_is_a_session(world: World, path: str) -> None:
    client = await ada(world)
    page = await client.get(path, headers={"Accept": "text/html"})
    assert page.status_code == PAGES[path]
    assert TO_SIGN_IN.search(main_of(page.text)) is None
    assert 'href="/profile' in main_of(page.text)


@pytest.mark.parametrize("path", PAGES)
async def test_the_page_leads_to_the_sign_in_where_there_is_none(world: World, path: str) -> None:
    page = await (await world.client(None)).get(path, headers={"Accept": "text/html"})
    assert page.status_code == PAGES[path]
    assert TO_SIGN_IN.search(main_of(page.text))


@pytest.mark.parametrize("path", PAGES)
async def test_an_expired_access_token_makes_no_difference(world: World, path: str) -> None:
    """The browser has deleted its cookie, and the refresh token goes on."""
    client = await ada(world)
    client.cookies.delete(cookies.ACCESS)
    page = await client.get(path, headers={"Accept": "text/html"})
    assert 'href="/profile' in main_of(page.text)


async def _signs_out(world: World, client: httpx.AsyncClient) -> None:
    await (await world.sign_in()).delete("/api/users/me/sessions")


async def _resets(world: World, client: httpx.AsyncClient) -> None:
    await client.post("/api/auth/forgotpassword", json={"email": "ada@example.com"})
    await world.deliver()
    body = {"password": "battery staple", "passwordConfirm": "battery staple"}
    secret = world.secret(LetterKind.RESET_PASSWORD)
    assert (await (await world.client()).patch(f"/api/auth/resetpassword/{secret}", json=body)).status_code == 200


async def _stays_away(world: World, client: httpx.AsyncClient) -> None:
    world.clock.advance(hours=2)


def _deleted(answer: httpx.Response) -> set[str]:
    return {each.partition("=")[0] for each in answer.headers.get_list("set-cookie") if "Max-Age=0;" in each}


ENDS = {"signed_out_elsewhere": _signs_out, "password_reset": _resets, "idle": _stays_away}
LIVE_COOKIES = [cookies.ACCESS, cookies.REFRESH]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("gone", ["", cookies.ACCESS])
async def test_the_cookies_of_an_ended_session_are_no_session(world: World, end: str, gone: str) -> None:
    """Each page finds that, leads to the sign-in, and has the browser delete the cookies; also where the access token
    has expired, and the browser has deleted it.
    """
    client = await ada(world)
    kept = {name: client.cookies[name] for name in LIVE_COOKIES if name != gone}
    await ENDS[end](world, client)
    for path, status in PAGES.items():
        browser = await world.client(None)
        browser.cookies.update(kept)
        page = await browser.get(path, headers={"Accept": "text/html"})
        assert page.status_code == status
        assert TO_SIGN_IN.search(main_of(page.text)), path
        assert 'href="/profile"' not in main_of(page.text), path
        assert _deleted(page) == {*LIVE_COOKIES, cookies.LOGGED_IN}, path


async def test_the_page_that_says_why_deletes_the_cookies_too(world: World) -> None:
    client = await ada(world)
    await _signs_out(world, client)
    answer = await client.get("/profile")
    assert answer.headers["location"].startswith("/signedout")
    assert _deleted(answer) == set()  # by now another tab may have signed in
    assert _deleted(await client.get(answer.headers["location"])) == {*LIVE_COOKIES, cookies.LOGGED_IN}


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_renews_a_token_to_find_out(world: World, path: str) -> None:
    client = await ada(world)
    client.cookies.delete(cookies.ACCESS)
    before = client.cookies[cookies.REFRESH]
    await client.get(path, headers={"Accept": "text/html"})
    if path.startswith("/confirmemail"):  # it asks who is signed in
        return
    assert client.cookies[cookies.REFRESH] == before
    assert cookies.ACCESS not in client.cookies


async def test_without_a_database_the_cookies_count_and_stay(world: World) -> None:
    client = await ada(world)
    await world.take_database_away()
    world.env.memory.drop_tokens()
    page = await client.get("/checkemail?about=reset")
    assert page.status_code == 200
    assert 'href="/profile"' in main_of(page.text)
    assert cookies.ACCESS in client.cookies


async def test_the_page_of_a_used_verification_link_says_where_to_look(world: World) -> None:
    client = await ada(world)
    page = main_of((await client.get(f"/verifyemail/{_DEAD}")).text)
    assert "Your profile shows whether your email address is confirmed." in page
    assert "sign in" not in page
