"""The cookie that carries a refused form to its page: who can read it, where it counts, and for how long."""

import base64

import httpx
import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.web.refused_rows import WRONG
from tests.unit.web.test_refused_forms import BROWSER
from vestibule.web import cookies
from vestibule.web.pages.refused_form import KEPT_SECONDS

pytestmark = pytest.mark.any_engine
ADA = {"email": "ada@example.com", "password": WRONG}
SAID = "The email address or the password is wrong."


async def browser_of(world: World) -> httpx.AsyncClient:
    """A browser whose cookies a test sends by itself."""
    client = await world.client(None)
    client.headers.update(BROWSER)
    return client


async def refused(client: httpx.AsyncClient, fields: dict[str, str] = ADA) -> str:
    """The cookie of a refused sign-in, which is taken out of the browser."""
    answer = await client.post("/login", data=fields)
    value = client.cookies.get("refused_form") or ""
    client.cookies.delete("refused_form", domain="localhost.local", path="/login")
    assert answer.status_code == 303
    return value


async def shown(client: httpx.AsyncClient, value: str, path: str = "/login") -> str:
    return (await client.get(path, headers={"Cookie": f"refused_form={value}"})).text


async def test_it_is_encrypted_and_goes_to_no_script_no_other_site_and_no_other_page(world: World) -> None:
    client = await browser_of(world)
    answer = await client.post("/login", data=ADA)
    (line,) = answer.headers.get_list("set-cookie")
    value, *attributes = line.split("; ")
    expected = {"Max-Age=60", "Path=/login", "HttpOnly", "SameSite=Lax"}
    assert {each for each in attributes if not each.startswith("Expires=")} == expected
    content = base64.urlsafe_b64decode(value.removeprefix("refused_form=v1."))
    assert b"ada@example.com" not in content
    assert SAID in await shown(client, value.removeprefix("refused_form="))


async def test_a_mailed_secret_is_not_in_the_path_of_the_cookie(world: World) -> None:
    client = await browser_of(world)
    answer = await client.post(f"/resetpassword/{'0' * 64}", data={"password": "short"})
    (line,) = answer.headers.get_list("set-cookie")
    assert "; Path=/resetpassword; " in line
    assert "0" * 64 not in line


async def test_it_counts_a_minute_at_its_page_and_nowhere_else(world: World) -> None:
    client = await browser_of(world)
    value = await refused(client)
    assert SAID not in await shown(client, value, "/register")
    assert SAID in await shown(client, value)
    world.clock.advance(seconds=KEPT_SECONDS + 1)
    assert SAID not in await shown(client, value)


async def test_what_somebody_made_up_or_changed_shows_nothing(world: World) -> None:
    client = await browser_of(world)
    value = await refused(client)
    assert SAID in await shown(client, value)
    for wrong in ("", "v1.", "v1.AAAA", "true", "é", value[:-4], value[:20] + "AAAA" + value[24:], "v1." + "A" * 5000):
        answer = await client.get("/login", headers={"Cookie": f"refused_form={wrong}".encode()})
        assert (answer.status_code, "alert" in answer.text) == (200, False)


async def test_of_a_session_it_is_shown_in_no_other(world: World) -> None:
    await world.register()
    first, second = await world.sign_in(), await world.sign_in()
    for client in (first, second):
        del client.headers["Origin"]
        client.headers.update(BROWSER)
    csrf = csrf_in(await first.get("/profile/name"))
    await first.post("/profile/name", data={"csrf": csrf, "name": "n" * 256})
    value = first.cookies.get("refused_form") or ""
    for client, is_shown in ((second, False), (first, True)):
        client.cookies.delete("refused_form", domain="localhost.local", path="/profile") if client is first else None
        client.cookies.set("refused_form", value, domain="localhost.local", path="/profile")
        assert ("n" * 256 in (await client.get("/profile/name")).text) == is_shown


@pytest.mark.parametrize("typed", ["x" * 5000, "é" * 1600, "\x01" * 800], ids=["long", "wide", "control"])
async def test_what_does_not_fit_is_dropped_and_what_is_wrong_is_still_said(world: World, typed: str) -> None:
    client = await browser_of(world)
    value = await refused(client, {"email": typed, "password": WRONG})
    assert 0 < len(value) <= 2000
    page = await shown(client, value)
    assert "Enter a valid email address." in page
    assert typed not in page


async def test_the_longest_that_may_be_typed_fits(world: World) -> None:
    client = await browser_of(world)
    email = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.example"
    name = "語" * 255
    answer = await client.post("/register", data={"name": name, "email": email, "password": "short"})
    page = (await client.get(answer.headers["location"])).text
    assert f'value="{email}"' in page
    assert f'value="{name}"' in page


async def test_another_site_sets_none(world: World) -> None:
    client = await browser_of(world)
    answer = await client.post("/login", data=ADA, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_program_is_told_by_the_status(world: World) -> None:
    client = await world.client(None)
    answer = await client.post("/login", data=ADA)
    assert (answer.status_code, SAID in answer.text) == (400, True)
    assert "set-cookie" not in answer.headers


async def test_a_service_behind_vestibule_is_not_given_it(world: World) -> None:
    assert cookies.without_ours([(b"cookie", b"refused_form=v1.x; theirs=1")]) == "theirs=1"


@pytest.mark.parametrize("code", ["a%3Fb%3Dc", "a%20b%25", "a%0D%0Ab", "%C3%A9", "%FF", "{code}", "..%5Cevil"])
async def test_a_path_with_odd_characters_leads_back_to_itself(world: World, code: str) -> None:
    client = await browser_of(world)
    answer = await client.post(f"/resetpassword/{code}", data={"password": "short"})
    (line,) = answer.headers.get_list("set-cookie")
    assert "; Path=/resetpassword; " in line
    page = await client.get(answer.headers["location"])
    assert (page.status_code, page.url.raw_path.decode().count("?")) == (403, 0), "the page of a dead link"
    assert page.url.path.startswith("/resetpassword/")
