"""The link back to the app: on every page, while `return_to` leads to a listed origin, and to no other place."""

import re
from dataclasses import replace

import pytest

from tests.harness.backends import Backend
from tests.harness.world import FRONT_END, WEB, World, world_on
from tests.unit.web.hostile_targets import HOSTILE
from tests.unit.web.people import ada
from vestibule.model.languages import LANGUAGES
from vestibule.web.map_reading import PAGES

pytestmark = pytest.mark.any_engine
READ = [page.path for page in PAGES if page.method == "GET"]
LINK = re.compile(r'<p class="app"><a href="([^"]*)">([^<]*)</a></p>')


@pytest.mark.parametrize("path", READ)
async def test_every_page_has_it(world: World, path: str) -> None:
    """Files have none, nor has a page that leads on because it has nothing to show."""
    client = await ada(world)
    if not path.startswith("/profile"):
        client.cookies.clear()
    at = path.replace("{", "").replace("}", "")
    page = await client.get(at, params={"return_to": f"{FRONT_END}/orders?tab=2"})
    is_page = page.headers.get("content-type", "").startswith("text/html")
    assert LINK.findall(page.text) == ([(f"{FRONT_END}/", "Back to localhost:3000")] if is_page else [])
    if is_page:
        client.cookies.delete("return_to")
    assert LINK.findall((await client.get(at)).text) == []


async def test_it_stays_on_the_way_and_goes_when_the_person_has_arrived(world: World) -> None:
    client = await ada(world)
    signed_in = dict(client.cookies)
    client.cookies.clear()
    await client.get("/login", params={"return_to": FRONT_END})
    refused = await client.post("/login", data={"email": "ada@example.com", "password": "wrong horse"})
    for page in (
        refused,
        await client.get("/forgotpassword"),
        await client.get("/nowhere", headers={"Accept": "text/html"}),
    ):
        assert LINK.findall(page.text) == [(f"{FRONT_END}/", "Back to localhost:3000")]
    client.cookies.update(signed_in)
    assert (await client.get("/login")).headers["location"] == FRONT_END
    assert LINK.findall((await client.get("/profile")).text) == []


@pytest.mark.parametrize(
    "target", [*HOSTILE, "/profile/security", "https://app.example.com.evil.example/", "https://other.example"]
)
async def test_it_leads_nowhere_else(backend: Backend, target: str) -> None:
    """B3: the table of redirect attacks, for this link."""
    web = replace(WEB, origins=frozenset({FRONT_END, "https://app.example.com"}))
    async with world_on(backend, web=web) as world:
        answer = await (await world.client(None)).get("/login", params={"return_to": target})
        assert LINK.findall(answer.text) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_is_there_in_every_language(backend: Backend, language: str) -> None:
    async with world_on(backend, web=replace(WEB, origins=frozenset({"https://app.example.com"}))) as world:
        query = {"return_to": "https://app.example.com/orders"}
        answer = await (await world.client(None)).get("/login", params=query, headers={"Accept-Language": language})
        ((at, text),) = LINK.findall(answer.text)
        assert at == "https://app.example.com/"
        assert text.endswith(" app.example.com")
        assert (text == "Back to app.example.com") == (language == "en")
