"""A browser that has a session is never led to sign in or to sign up: it is shown the ways to its account."""

import re

import pytest

from tests.harness.world import World
from tests.unit.web.people import ada
from tests.unit.web.test_dead_links import main_of
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


async def test_the_page_of_a_used_verification_link_says_where_to_look(world: World) -> None:
    client = await ada(world)
    page = main_of((await client.get(f"/verifyemail/{_DEAD}")).text)
    assert "Your profile shows whether your email address is confirmed." in page
    assert "sign in" not in page
