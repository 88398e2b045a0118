"""Passkeys on the page of the second step and on the one that asks for another sign-in; a script sends these forms."""

import json
from dataclasses import dataclass

import httpx
import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.web.authenticator_app import SECURITY, codes_in, turn_on
from tests.unit.web.people import ada, session_of
from tests.unit.web.test_second_step_page import LATE, STEP, at_second_step

pytestmark = pytest.mark.any_engine
AGAIN = "/reauthenticate"
MINE = "/api/users/me/factors/passkeys"
STEP_UP, SECOND = "/api/users/me/step-up/options", "/api/auth/login/second-factor/options"
PASSWORD_FORMS = [f"{SECURITY}/password", f"{SECURITY}/email", "/profile/delete"]
FACTOR_FORMS = [f"{SECURITY}/authenticator", f"{SECURITY}/authenticator/remove", f"{SECURITY}/recovery-codes/new"]


@dataclass
class Owner:
    """Ada at her browser, with a passkey, and the recovery codes that came with it."""

    client: httpx.AsyncClient
    authenticator: Authenticator
    codes: list[str]


async def owner(world: World, *, app: bool = False) -> Owner:
    client, authenticator = await ada(world), Authenticator()
    options = (await client.post(f"{MINE}/options")).json()["data"]["publicKey"]
    added = await client.post(MINE, json={"credential": authenticator.create(options)})
    assert added.status_code == 201, added.text
    mine = Owner(client, authenticator, codes_in(added.text))
    if app:
        await use(mine, AGAIN, STEP_UP, csrf=csrf_in(await client.get("/profile")))
        await turn_on(world, client)
    return mine


async def use(
    mine: Owner, page: str, options: str, client: httpx.AsyncClient | None = None, **fields: str
) -> httpx.Response:
    """Ask for the passkey as the page's script does, and send the form."""
    browser = client or mine.client
    asked = (await browser.post(options)).json()["data"]["publicKey"]
    credential = json.dumps(mine.authenticator.get(asked))
    return await browser.post(f"{page}/passkey", data={"credential": credential, **fields})


async def asked_again(world: World, mine: Owner, path: str) -> httpx.Response:
    """Ada opens a page an hour after her sign-in."""
    world.clock.advance(minutes=16)
    answer = await mine.client.get(path)
    assert answer.headers["location"] == f"{AGAIN}?return_to={path.replace('/', '%2F')}"
    return await mine.client.get(answer.headers["location"])


@pytest.mark.parametrize("path", [*PASSWORD_FORMS, *FACTOR_FORMS])
async def test_a_passkey_signs_in_again_and_leads_back(world: World, path: str) -> None:
    mine = await owner(world)
    page, before = await asked_again(world, mine, path), await session_of(mine.client)
    answer = await use(mine, AGAIN, STEP_UP, csrf=csrf_in(page), return_to=path)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert await session_of(mine.client) == before
    assert (await mine.client.get(path)).status_code == 200
    assert "ceremony" not in mine.client.cookies


@pytest.mark.parametrize("path", PASSWORD_FORMS)
async def test_without_a_second_factor_a_form_that_asks_for_the_password_is_enough(world: World, path: str) -> None:
    client = await ada(world)
    world.clock.advance(minutes=16)
    assert (await client.get(path)).status_code == 200


async def test_who_has_passkeys_alone_is_asked_for_one_and_may_use_a_recovery_code(world: World) -> None:
    mine = await owner(world)
    page = await asked_again(world, mine, f"{SECURITY}/password")
    assert "This browser cannot use passkeys here." in page.text, "without the script, which hides that"
    assert 'name="password"' not in page.text
    assert f'data-passkey="{STEP_UP}"' in page.text
    page = await mine.client.get(AGAIN, params={"by": "recovery_code"})
    fields = {"csrf": csrf_in(page), "by": "recovery_code", "return_to": f"{SECURITY}/password"}
    answer = await mine.client.post(AGAIN, data={**fields, "code": mine.codes[0]})
    assert answer.headers["location"] == f"{SECURITY}/password"
    assert (await mine.client.get(f"{SECURITY}/password")).status_code == 200


@pytest.mark.parametrize("page", [STEP, AGAIN])
async def test_beside_an_app_the_passkey_is_the_second_button(world: World, page: str) -> None:
    mine = await owner(world, app=True)
    client = mine.client if page == AGAIN else await at_second_step(world)
    text = (await client.get(page)).text
    assert 'autocomplete="one-time-code"' in text
    assert f'action="{page}/passkey" hidden data-passkey=' in text
    assert "This browser cannot use passkeys here." not in text


async def test_a_passkey_is_the_second_step_and_leads_where_the_sign_in_was_going(world: World) -> None:
    mine = await owner(world)
    client = await at_second_step(world, return_to="/profile/name")
    page = await client.get(STEP, params={"return_to": "/profile/name"})
    assert f'href="{STEP}?by=recovery_code&amp;return_to=%2Fprofile%2Fname"' in page.text
    assert "<h1>Use your passkey</h1>" in page.text
    answer = await use(mine, STEP, SECOND, client, return_to="/profile/name")
    assert (answer.status_code, answer.headers["location"]) == (303, "/profile/name")
    assert await session_of(client)
    assert not {"second_factor", "ceremony"} & set(client.cookies)


@pytest.mark.parametrize("page", [STEP, AGAIN])
@pytest.mark.parametrize("sent", ["", "{", "{}", '{"id": 1}'])
async def test_what_is_no_passkey_is_refused_in_words(world: World, page: str, sent: str) -> None:
    mine = await owner(world)
    client = mine.client if page == AGAIN else await at_second_step(world)
    await client.post(STEP_UP if page == AGAIN else SECOND)
    csrf = csrf_in(await client.get("/profile")) if page == AGAIN else ""
    answer = await client.post(f"{page}/passkey", data={"credential": sent, "by": "passkey", "csrf": csrf})
    assert (answer.status_code, "This passkey could not be accepted." in answer.text) == (400, True)


@pytest.mark.parametrize("page", [STEP, AGAIN])
async def test_the_passkey_of_somebody_else_is_not_known(world: World, page: str) -> None:
    mine, other = await owner(world), Authenticator()
    await use(mine, AGAIN, STEP_UP, csrf=csrf_in(await mine.client.get("/profile")))
    other.create({**(await mine.client.post(f"{MINE}/options")).json()["data"]["publicKey"], "excludeCredentials": []})
    client = mine.client if page == AGAIN else await at_second_step(world)
    asked = (await client.post(STEP_UP if page == AGAIN else SECOND)).json()["data"]["publicKey"]
    csrf = csrf_in(await client.get("/profile")) if page == AGAIN else ""
    credential = json.dumps(other.get({**asked, "allowCredentials": []}))
    answer = await client.post(f"{page}/passkey", data={"credential": credential, "by": "passkey", "csrf": csrf})
    assert (answer.status_code, "This passkey is not known here." in answer.text) == (404, True)


async def test_a_passkey_that_verifies_nobody_is_not_enough_alone_and_says_so(world: World) -> None:
    mine = await owner(world)
    client = await world.client(None)
    asked = (await client.post("/api/auth/passkeys/options")).json()["data"]["publicKey"]
    signed_in = await client.post("/login/passkey", data={"credential": json.dumps(mine.authenticator.get(asked))})
    assert signed_in.status_code == 303, signed_in.text
    mine.authenticator.verifies = False
    csrf = csrf_in(await client.get("/profile"))
    answer = await use(mine, AGAIN, STEP_UP, client, csrf=csrf, by="passkey")
    assert (answer.status_code, "This passkey could not be accepted." in answer.text) == (403, True)


async def test_a_second_step_by_passkey_that_comes_too_late_begins_again(world: World) -> None:
    mine = await owner(world)
    stranger = await world.client(None)
    answer = await stranger.post(f"{STEP}/passkey", data={"credential": json.dumps({"id": "x"})})
    assert (answer.status_code, answer.headers["location"]) == (303, LATE)
    assert await session_of(mine.client)
