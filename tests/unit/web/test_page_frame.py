"""Around the content of pages: the tab that is open, the first field, long lists, and a page for a wrong URL."""

import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.web.authenticator_app import CODES, turn_on
from tests.unit.web.people import FILES, ada
from vestibule.model.brand import Brand
from vestibule.web.map_reading import PAGES
from vestibule.web.pages.assets import Static

pytestmark = pytest.mark.any_engine
FOR_MEMBERS = [
    page.path for page in PAGES if page.method == "GET" and page.path.startswith("/profile") and page.path not in FILES
]
_TAB = re.compile(r'<a href="([^"]+)" aria-current="(\w+)"')
_FIELD = re.compile(r"<input id=[^>]*>")
_FAULT = re.compile(r'<p class="fault"[^>]*>([^<]*)<')
_ROW = re.compile(r"<li>")

# What each form says of its fields, from the top, if it is sent empty.
EMPTY = {
    "/login": ["Enter your email address.", "Enter your password."],
    "/login/email-code": ["Enter your email address."],
    "/register": ["Enter your name.", "Enter your email address.", "Choose a password."],
    "/forgotpassword": ["Enter your email address."],
    "/verifyemail": ["Enter your email address."],
    "/profile/name": ["Enter your name."],
    "/profile/security/password": ["Enter your current password.", "Choose a password."],
    "/profile/security/email": ["Enter your email address.", "Enter your current password."],
    "/profile/delete": ["Enter your current password."],
}


@pytest.mark.parametrize("path", FOR_MEMBERS)
async def test_one_tab_is_marked_on_every_page_of_an_account(world: World, path: str) -> None:
    client = await ada(world)
    tab = "/profile" if path in {"/profile", "/profile/name"} else "/profile/security"
    current = "page" if path == tab else "true"
    assert _TAB.findall((await client.get(path)).text) == [(tab, current)]


async def test_a_heading_may_break_at_soft_hyphens_which_a_tab_would_show(world: World) -> None:
    client = await ada(world)
    await turn_on(world, client)
    title, _, page = (await client.get(CODES, headers={"accept-language": "de"})).text.partition("</title>")
    assert "Ihre Wiederherstellungscodes" in title
    assert "<h1>Ihre Wieder\u00adherstellungs\u00adcodes</h1>" in page


async def test_no_tab_is_marked_on_a_page_that_is_in_neither(world: World) -> None:
    page = (await (await ada(world)).get(f"/confirmemail/{'0' * 64}")).text
    assert 'href="/profile"' in page
    assert _TAB.findall(page) == []


@pytest.mark.parametrize("path", EMPTY)
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


@pytest.mark.parametrize("path", EMPTY)
async def test_a_form_sent_empty_names_what_each_field_lacks_from_the_top(world: World, path: str) -> None:
    client = await (ada(world) if path.startswith("/profile") else world.client(None))
    form = await client.get(path)
    answer = await client.post(path, data={"csrf": csrf_in(form)} if path.startswith("/profile") else {})
    assert answer.status_code == 400
    assert _FAULT.findall(answer.text) == EMPTY[path]
    fields = _FIELD.findall(answer.text)
    assert [("aria-invalid" in field, "autofocus" in field) for field in fields] == [
        (True, True),
        *[(True, False)] * (len(fields) - 1),
    ]


@pytest.mark.parametrize("path", [path for path in EMPTY if path.startswith("/profile/") and path != "/profile/name"])
async def test_a_form_tells_password_managers_whose_password_it_asks_for(world: World, path: str) -> None:
    form = (await (await ada(world)).get(path)).text.partition("<main")[2]
    username, *others = re.findall(r"<input (?!type=\"hidden\")[^>]*>", form)
    assert ' autocomplete="username" value="ada@example.com"' in username
    assert " hidden>" in username  # by style: password managers skip the type "hidden"
    assert any('type="password"' in other for other in others)


@pytest.mark.parametrize(("name", "initial"), [("öre", "Ö"), ("<&>", "<"), ("&", "&")])
async def test_a_tab_without_a_logo_shows_the_products_initial(name: str, initial: str) -> None:
    brand = Brand(name, "#ffd400")
    media, _, svg = Static(brand).icon_at.partition(",")
    box, text = ET.fromstring(unquote(svg))
    assert media == "data:image/svg+xml"
    assert (box.get("fill"), text.get("fill"), text.text) == (brand.colour, brand.ink, initial)


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


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_what_nobody_foresaw_is_a_page_for_a_browser_and_json_for_others(world: World, accept: str) -> None:
    client = await ada(world)
    object.__setattr__(world.env, "keys", None)
    answer = await client.get("/profile", headers={"Accept": accept})
    page = "<h1>Something went wrong</h1>" in answer.text and '<a href="/profile">Profile' in answer.text
    assert (answer.status_code, page, "code" in answer.text) == (500, accept == "text/html", accept == "*/*")


async def test_a_fault_of_a_template_around_every_page_is_json(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await world.client(None)
    monkeypatch.setattr("vestibule.web.pages.render.random_bytes", None)
    answer = await client.get("/login", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")


async def test_the_sign_in_form_that_knows_the_email_has_the_focus_in_its_password(world: World) -> None:
    client = await world.client(None)
    await client.post("/forgotpassword", data={"email": "ada@example.com"})
    fields = _FIELD.findall((await client.get("/login?notice=password_reset")).text)
    assert 'value="ada@example.com"' in fields[0]
    assert ["autofocus" in field for field in fields] == [False, True]
