"""What no route answers: a page for a browser that shows it to somebody, and JSON for everybody else."""

import httpx
import pytest

from tests.harness.world import World
from vestibule.web.map_reading import PAGES

pytestmark = pytest.mark.any_engine
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
UNKNOWN = ["/nope", "/profile/nope", "/nope/", "/static/nope", "/healthz", "/login/x?a=%3Cb%3E", "/apis", "/%3Cb%3E"]
POST_ONLY = sorted({page.path for page in PAGES} - {page.path for page in PAGES if page.method == "GET"})
SHOWN = [
    BROWSER,
    "text/html",
    "TEXT/HTML;level=1",
    "application/json;q=0.5, text/html;q=0.8",
    "text/html;q=0.001",
    "application/json, text/html",
]
NOT_SHOWN = [
    None,
    "",
    "*/*",
    "application/json",
    "application/json, text/plain, */*",
    "text/html;q=0",
    "text/html; Q=0.000",
    "application/json, text/html;q=0.9",
    "text/*",
    "x/text/html",
]


async def ask(world: World, method: str, path: str, accept: str | None, **headers: str) -> httpx.Response:
    client = await world.client(None)
    client.headers["Accept-Language"] = "de"
    del client.headers["Accept"]
    return await client.request(method, path, headers={"Accept": accept} if accept is not None else {} | headers)


@pytest.mark.parametrize("path", UNKNOWN)
async def test_an_unknown_path_is_a_page_in_the_readers_language_with_a_way_home(world: World, path: str) -> None:
    answer = await ask(world, "GET", path, BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == "de"
    assert answer.headers["cache-control"] == "no-store"
    assert "<h1>Seite nicht gefunden</h1>" in answer.text
    assert '<a href="/">' in answer.text
    assert "<b>" not in answer.text
    assert "set-cookie" not in answer.headers
    bodiless = await ask(world, "HEAD", path, BROWSER)
    assert (bodiless.status_code, bodiless.content) == (404, b"")
    assert bodiless.headers["content-type"] == answer.headers["content-type"]


@pytest.mark.parametrize("path", POST_ONLY)
async def test_a_page_that_is_only_sent_and_not_opened_says_so(world: World, path: str) -> None:
    path = path.replace("{code}", "x").replace("{session_id}", "x")
    for method in ("GET", "HEAD", "DELETE"):
        answer = await ask(world, method, path, BROWSER)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert ("so nicht öffnen" in answer.text) is (method != "HEAD")


@pytest.mark.parametrize("accept", SHOWN)
async def test_who_asks_for_a_page_is_shown_one(world: World, accept: str) -> None:
    assert (await ask(world, "GET", "/nope", accept)).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("accept", NOT_SHOWN)
async def test_who_does_not_ask_for_a_page_is_told_in_json(world: World, accept: str | None) -> None:
    answer = await ask(world, "GET", "/nope", accept)
    assert (answer.status_code, answer.json()["message"]) == (404, "Route /nope not found")
    refused = await ask(world, "DELETE", "/login", accept)
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nope", "/api/auth/nope/", "/%61pi/nope"])
async def test_who_asks_the_api_is_told_in_json(world: World, path: str) -> None:
    answer = await ask(world, "GET", path, BROWSER)
    assert (answer.status_code, answer.json()["code"]) == (404, "route_unknown")
    refused = await ask(world, "DELETE", "/api/auth/login", BROWSER)
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
