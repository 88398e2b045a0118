"""Around the content of pages: the tab that is open, the first field, long lists, and a page for a wrong URL."""

import re

import pytest

from tests.harness.world import World
from tests.unit.web.people import ada
from vestibule.web.routes import PAGES

pytestmark = pytest.mark.any_engine
FOR_MEMBERS = [
    page.path
    for page in PAGES
    if page.method == "GET" and page.path.startswith("/profile") and page.path != "/profile/data"
]
_TAB = re.compile(r'<a href="([^"]+)" aria-current="(\w+)"')
_FIELD = re.compile(r"<input id=[^>]*>")
_ROW = re.compile(r"<li>")
FORMS = [
    "/login",
    "/register",
    "/forgotpassword",
    "/verifyemail",
    "/profile/name",
    "/profile/security/password",
    "/profile/security/email",
    "/profile/delete",
]


@pytest.mark.parametrize("path", FOR_MEMBERS)
async def test_one_tab_is_marked_on_every_page_of_an_account(world: World, path: str) -> None:
    client = await ada(world)
    tab = "/profile" if path in {"/profile", "/profile/name"} else "/profile/security"
    current = "page" if path == tab else "true"
    assert _TAB.findall((await client.get(path)).text) == [(tab, current)]


@pytest.mark.parametrize("path", FORMS)
async def test_the_first_field_has_the_focus(world: World, path: str) -> None:
    client = await (ada(world) if path.startswith("/profile") else world.client(None))
    fields = _FIELD.findall((await client.get(path)).text)
    assert [("autofocus" in field) for field in fields] == [True, *[False] * (len(fields) - 1)]


async def test_the_first_fault_has_the_focus_instead(world: World) -> None:
    client = await world.client(None)
    answer = await client.post("/register", data={"name": "Ada", "email": "no address", "password": "battery staple"})
    focused = [field for field in _FIELD.findall(answer.text) if "autofocus" in field]
    assert len(focused) == 1
    assert 'id="email"' in focused[0]


async def test_a_long_list_shows_its_newest_rows_and_counts_the_others(world: World) -> None:
    client = await ada(world)
    for _ in range(4):
        world.clock.advance(seconds=1)
        await world.sign_in()
    page = (await client.get("/profile/security")).text
    devices = page.partition('id="device-list"')[2].partition("</section>")[0]
    seen, _, folded = devices.partition("<details>")
    assert (len(_ROW.findall(seen)), len(_ROW.findall(folded))) == (3, 2)
    assert "Show 2 more</summary>" in folded
    assert "this device" in seen  # although it was seen before all others


async def test_a_short_list_has_nothing_to_open(world: World) -> None:
    assert "<details>" not in (await (await ada(world)).get("/profile/security")).text


async def test_a_wrong_url_leads_somewhere(world: World) -> None:
    client = await world.client(None)
    answer = await client.get("/nowhere", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "Page not found" in answer.text
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    links = re.findall(r'href="([^"]+)"', main)
    assert links == ["/login", "/register"]
    for link in links:
        assert (await client.get(link)).status_code == 200
