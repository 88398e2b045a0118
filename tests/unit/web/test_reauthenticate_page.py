"""The page that asks for another sign-in, and goes on where it was needed."""

from urllib.parse import unquote

import httpx
import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.web.authenticator_app import APP, SECURITY
from tests.unit.web.people import ada, session_of
from tests.unit.web.test_second_step_page import ada_with_app

pytestmark = pytest.mark.any_engine
AGAIN = "/reauthenticate"
TOO_LONG_AGO = "To protect your account, this needs a sign-in within the last few minutes."
LACKS_FACTOR = "Two-factor authentication is on, so this needs the second step too."


async def later(world: World, client: httpx.AsyncClient) -> httpx.Response:
    """Somebody comes back to set an app up: the page that asks for another sign-in."""
    world.clock.advance(minutes=16)
    answer = await client.get(APP)
    assert answer.headers["location"] == f"{AGAIN}?return_to=%2Fprofile%2Fsecurity%2Fauthenticator"
    return await client.get(answer.headers["location"])


async def send(client: httpx.AsyncClient, page: httpx.Response, **fields: str) -> httpx.Response:
    return await client.post(AGAIN, data={"csrf": csrf_in(page), "return_to": APP, **fields})


async def test_the_password_is_enough_without_a_second_factor_and_the_session_goes_on(world: World) -> None:
    client = await ada(world)
    page = await later(world, client)
    before = await session_of(client)
    assert 'name="password"' in page.text
    answer = await send(client, page, by="password", password="correct horse")
    assert (answer.status_code, answer.headers["location"]) == (303, APP)
    assert await session_of(client) == before
    assert (await client.get(APP)).status_code == 200


async def test_a_second_factor_is_asked_for_where_there_is_one(world: World) -> None:
    client, app, codes = await ada_with_app(world)
    page = await later(world, client)
    assert 'autocomplete="one-time-code"' in page.text
    assert 'name="password"' not in page.text
    answer = await send(client, page, by="totp", code=app.at(world.clock.now()))
    assert answer.headers["location"] == APP
    assert (await client.get(APP)).status_code == 200
    page = await later(world, client)
    page = await client.get(AGAIN, params={"by": "recovery_code"})
    answer = await send(client, page, by="recovery_code", code=codes[0])
    assert answer.headers["location"] == APP


async def test_what_was_given_up_here_decides_nothing_later(world: World) -> None:
    """Somebody goes back to the security page instead, signs out, and in again: to the profile."""
    client = await ada(world)
    await later(world, client)
    page = await client.get(SECURITY)
    await client.post("/logout", data={"csrf": csrf_in(page)})
    answer = await client.post("/login", data={"email": "ada@example.com", "password": "correct horse"})
    assert answer.headers["location"] == "/profile"


async def test_signing_out_forgets_where_a_sign_in_was_to_lead(world: World) -> None:
    client = await ada(world)
    client.cookies.set("return_to", APP)  # kept when another tab asked for the sign-in page
    page = await client.get(SECURITY)
    signed_out = await client.post("/logout", data={"csrf": csrf_in(page)})
    assert [cookie for cookie in signed_out.headers.get_list("set-cookie") if cookie.startswith("return_to=")] != []


async def test_the_password_is_not_enough_beside_a_second_factor(world: World) -> None:
    client, _, _ = await ada_with_app(world)
    page = await later(world, client)
    answer = await send(client, page, by="password", password="correct horse")
    assert answer.headers["location"] == f"{AGAIN}?return_to=%2Fprofile%2Fsecurity%2Fauthenticator"
    assert (await client.get(APP)).status_code == 303


async def test_a_recent_sign_in_by_the_password_alone_is_told_what_it_lacks(world: World) -> None:
    client, _, _ = await ada_with_app(world)
    page = await client.get((await client.get(APP)).headers["location"])
    assert LACKS_FACTOR in page.text
    assert TOO_LONG_AGO not in page.text
    page = await later(world, client)
    assert TOO_LONG_AGO in page.text
    assert LACKS_FACTOR not in page.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"by": "password"}, "Enter your password."),
        ({"by": "password", "password": "wrong horse"}, "This is not your current password."),
        ({"by": "totp", "code": ""}, "Enter the code."),
        ({"by": "totp", "code": "123 45"}, "This code is wrong."),
        ({"by": "recovery_code", "code": "0-00000-00000"}, "This recovery code is wrong, or was used already."),
    ],
)
async def test_what_is_refused_says_why(world: World, fields: dict[str, str], said: str) -> None:
    client, _, _ = await ada_with_app(world)
    answer = await send(client, await later(world, client), **fields)
    assert answer.status_code in {400, 403}
    assert said in answer.text


async def test_a_form_that_was_refused_leads_back_to_its_page(world: World) -> None:
    """A POST cannot go on by itself: its page is shown again."""
    client = await ada(world)
    csrf = csrf_in(await client.get(SECURITY))
    world.clock.advance(minutes=16)
    client.headers["Accept"] = "text/html"
    for path, page in (
        (f"{APP}/new", APP),
        ("/profile/security/sessions", SECURITY),
        (f"{APP}/remove", f"{APP}/remove"),
    ):
        answer = await client.post(path, data={"csrf": csrf})
        assert answer.headers["location"] == f"{AGAIN}?return_to={page.replace('/', '%2F')}"
    answer = await client.get("/profile/data")
    assert answer.headers["location"] == f"{AGAIN}?return_to=%2Fprofile%2Fsecurity"


@pytest.mark.parametrize(
    ("asked", "leads_to"), [(AGAIN, "/login"), (f"{AGAIN}?return_to={APP}", f"/login?return_to={APP}")]
)
async def test_who_is_signed_out_is_asked_once(world: World, asked: str, leads_to: str) -> None:
    """A sign-in is recent enough for whatever asked for another one."""
    client = await world.client(None)
    answer = await client.get(asked, headers={"Accept": "text/html"})
    assert unquote(answer.headers["location"]) == leads_to
