"""C32: an encoded slash is no slash: whatever route would be found behind it, nothing is."""

import re

import pytest

from tests.harness.world import World
from vestibule.web.map_lines import Page, Route
from vestibule.web.map_reading import PAGES, ROUTES

pytestmark = pytest.mark.any_engine
LINES = {f"{line.method} {line.path}": line for line in (*ROUTES, *PAGES) if line.path != "/"}
BROWSER = {"Accept": "text/html"}


def spellings(path: str) -> list[str]:
    """The path with each of its slashes encoded in turn, all of them, and one more at its end; values filled in."""
    path = re.sub(r"\{\w+\}", "en", path)
    slashes = [match.start() for match in re.finditer("/", path)][1:]
    each = [f"{path[:at]}%2F{path[at + 1 :]}" for at in slashes]
    return [
        *each,
        *(way.lower() for way in each),
        "/" + path[1:].replace("/", "%2f") + "%2F",
        f"{path}%2F/",
        f"/%2F{path}",
    ]


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
async def test_c32_no_route_is_found_behind_an_encoded_slash(world: World, line: Route | Page) -> None:
    """C32: for who is signed in as well, whom the fast path answers."""
    await world.register()
    browser = await world.sign_in()
    await browser.get("/api/users/me")
    for path in spellings(line.path):
        answer = await browser.request(line.method, path)
        assert answer.status_code == 404, path
        if line.method != "HEAD":
            assert answer.json()["message"] == f"Route {path} not found"


async def test_c32_who_opens_one_is_shown_the_page_for_it(world: World) -> None:
    answer = await (await world.client(None)).get("/profile%2Fsecurity", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    api = await (await world.client(None)).get("/api%2Fhealthchecker", headers=BROWSER)
    assert api.json()["code"] == "route_unknown"


async def test_c32_in_a_query_it_means_what_it_says_and_other_letters_may_be_encoded(world: World) -> None:
    browser = await world.client()
    assert (await browser.get("/api/healthchecker?x=a%2Fb")).status_code == 200
    assert (await browser.get("/%61pi/healthchecker")).status_code == 200
    await world.register()
    signed_in = await world.sign_in()
    assert (await signed_in.get("/api/users/m%65")).status_code == 200
    assert (await signed_in.get("/api/users/me?x=%2F")).status_code == 200
