"""The docs page in development: all of it from our own server, and nothing of it where it is not wanted."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.harness.backends import Backend
from tests.harness.world import BASE, WEB, World, world_on

ADDRESSES = re.compile(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""")
OURS = urlsplit(BASE).netloc
TYPES = {"js": "javascript", "css": "text/css", "png": "image/png"}


@pytest.fixture
async def without_docs(backend: Backend) -> AsyncIterator[World]:
    """A Vestibule as in production."""
    async with world_on(backend, web=replace(WEB, interactive_docs=False)) as made:
        yield made


async def addresses(world: World) -> list[str]:
    """Every address that the page names."""
    page = await (await world.client()).get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    return ADDRESSES.findall(page.text)


# How the package with the page opens its files; Python 3.13 took the warning back.
@pytest.mark.filterwarnings("ignore:open_binary is deprecated:DeprecationWarning")
async def test_everything_on_the_page_is_ours_and_there(world: World) -> None:
    found = await addresses(world)
    assert {"/openapi.json"} < set(found)
    assert any(address.endswith(".js") for address in found)
    assert {urlsplit(address).netloc for address in found} <= {"", OURS}
    browser = await world.client()
    for address in found:
        answer = await browser.get(address)
        assert answer.status_code == 200, address
        assert answer.content
        kind = TYPES.get(address.rpartition(".")[2], "json")
        assert kind in answer.headers["content-type"], address


async def test_the_page_may_load_nothing_from_elsewhere(world: World) -> None:
    policy = (await (await world.client()).get("/docs")).headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "http" not in policy
    assert "*" not in policy


async def test_only_the_page_may_run_scripts(world: World) -> None:
    answer = await (await world.client()).get("/openapi.json")
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_none_of_it_is_there_in_production(world: World, without_docs: World) -> None:
    """H12: none of it is there in production."""
    browser = await without_docs.client()
    for path in ["/docs", "/docs/", "/redoc", "/openapi.json", *await addresses(world)]:
        answer = await browser.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["code"] == "route_unknown"


async def test_the_api_is_there_all_the_same(without_docs: World) -> None:
    assert (await (await without_docs.client()).get(f"{BASE}/api/healthchecker")).status_code == 200
