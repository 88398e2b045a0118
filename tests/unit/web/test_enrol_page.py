"""The page that sets up the second factor which an account must have, sent as a browser without a script sends it."""

import json
import re
from collections.abc import AsyncIterator

import httpx
import pyotp
import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import FRONT_END, World
from tests.stories import required_factor
from tests.stories.required_factor import TOKENS, requiring
from tests.unit.web.authenticator_app import APP, CODES, SECURITY, codes_in
from tests.unit.web.people import session_of
from vestibule.model.factors import SecondFactorRule
from vestibule.model.pending_sign_ins import LIFETIME

pytestmark = pytest.mark.any_engine
ENROL, NEW = "/login/enrol", "/login/enrol/new"
PASSWORD = {"email": "ada@example.com", "password": "correct horse"}
CREDENTIAL = '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}'
AWAY = {"return_to": f"{FRONT_END}/app"}


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    async with requiring(backend) as world:
        yield world


async def asked(world: World, **more: str) -> httpx.AsyncClient:
    """A browser where the right password was typed."""
    client = await world.client(None)
    answer = await client.post("/login", data={**PASSWORD, **more})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(ENROL)
    return client


async def begin(client: httpx.AsyncClient, **more: str) -> tuple[httpx.Response, pyotp.TOTP]:
    """The page with the key of a new app, and the app."""
    begun = await client.post(NEW, data=more)
    assert begun.status_code == 303, begun.text
    page = await client.get(begun.headers["location"])
    key = re.findall(r'<code id="key">([A-Z2-7 ]+)</code>', page.text)[0]
    return page, pyotp.TOTP(key.replace(" ", ""))


async def turn_on(world: World, client: httpx.AsyncClient, **more: str) -> httpx.Response:
    _, app = await begin(client, **more)
    return await client.post(ENROL, data={"code": app.at(world.clock.now()), **more})


async def test_it_says_why_shows_the_key_and_signs_in(world: World) -> None:
    client = await asked(world)
    page = await client.get(ENROL)
    assert "<h1>Protect your account</h1>" in page.text
    assert "Your account needs more than a password." in page.text
    assert "ada@<wbr>example<wbr>.com" in page.text
    shown, app = await begin(client)
    assert "<svg" in shown.text
    assert "otpauth://totp/" in shown.text
    assert (await client.get(ENROL)).text.count(app.secret[:4]) == shown.text.count(app.secret[:4]), "a reload"
    assert not TOKENS & set(client.cookies)
    answer = await client.post(ENROL, data={"code": app.at(world.clock.now())})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{CODES}?")
    assert await session_of(client)
    assert "second_factor" not in client.cookies


async def test_then_the_recovery_codes_are_shown_and_it_goes_where_it_was_going(world: World) -> None:
    client = await asked(world, **AWAY)
    answer = await turn_on(world, client, **AWAY)
    page = await client.get(answer.headers["location"])
    assert len(codes_in(page.text)) == 10
    assert "Your authenticator app is set up." in page.text
    saved = {"csrf": csrf_in(page), "return_to": re.findall(r'name="return_to" value="([^"]+)"', page.text)[0]}
    assert (await client.post(CODES, data=saved)).headers["location"] == AWAY["return_to"]


async def test_without_a_target_it_goes_to_the_security_page(world: World) -> None:
    client = await asked(world)
    page = await client.get((await turn_on(world, client)).headers["location"])
    assert 'name="return_to" value="/profile"' not in page.text
    assert (await client.post(CODES, data={"csrf": csrf_in(page)})).headers["location"] == SECURITY


@pytest.mark.parametrize(("code", "said"), [("", "Enter the code."), ("000000", "This code is wrong.")])
async def test_a_wrong_code_has_its_words_beside_the_key(world: World, code: str, said: str) -> None:
    client = await asked(world)
    _, app = await begin(client)
    answer = await client.post(ENROL, data={"code": code})
    assert answer.status_code in {400, 403}
    assert said in answer.text
    assert 'action="/login/enrol"' in answer.text
    assert (await client.post(ENROL, data={"code": app.at(world.clock.now())})).status_code == 303


async def send_passkey(client: httpx.AsyncClient, sent: str | None = None, **more: str) -> httpx.Response:
    """Make a passkey as the page's script does, and send the form."""
    options = (await client.post("/api/auth/login/enrol/passkey/options")).json()["data"]["publicKey"]
    credential = json.dumps(Authenticator().create(options)) if sent is None else sent
    return await client.post(f"{ENROL}/passkey", data={"credential": credential, **more})


async def test_a_passkey_signs_in_shows_the_codes_and_goes_on(world: World) -> None:
    client = await asked(world, **AWAY)
    page = await client.get(ENROL, params=AWAY)
    assert 'data-passkey="/api/auth/login/enrol/passkey/options" data-creates' in page.text
    answer = await send_passkey(client, **AWAY)
    assert answer.headers["location"].startswith(f"{CODES}?notice=passkey_added&return_to=http")
    assert await session_of(client)
    assert {"second_factor", "ceremony"} & set(client.cookies) == set()
    assert len(codes_in((await client.get(answer.headers["location"])).text)) == 10


@pytest.mark.parametrize("sent", ["", "{", "{}", '{"id": 1}'])
async def test_what_is_no_passkey_is_refused_in_words_and_asks_for_no_code(world: World, sent: str) -> None:
    client = await asked(world)
    client.headers["Accept"] = "text/html"
    answer = await send_passkey(client, sent)
    assert (answer.status_code, answer.headers["location"]) == (303, ENROL)
    page = await client.get(ENROL)
    assert "This passkey could not be accepted." in page.text
    assert ('action="/login/enrol/new"' in page.text, 'name="code"' in page.text) == (True, False)
    assert not TOKENS & set(client.cookies)


async def test_a_code_without_an_app_leads_to_the_page(world: World) -> None:
    client = await asked(world)
    answer = await client.post(ENROL, data={"code": "000000"})
    assert (answer.status_code, answer.headers["location"]) == (303, ENROL)


async def test_too_late_it_begins_again(world: World) -> None:
    client = await asked(world, **AWAY)
    world.clock.advance(seconds=LIFETIME.total_seconds())
    for answer in (
        await client.get(ENROL, params=AWAY),
        await client.post(NEW, data=AWAY),
        await client.post(ENROL, data={"code": "000000", **AWAY}),
        await client.post(f"{ENROL}/passkey", data={"credential": CREDENTIAL, **AWAY}),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?notice=second_step_late&return_to=http")


async def test_who_has_a_factor_by_then_is_asked_for_it(world: World) -> None:
    client = await asked(world)
    await required_factor.enrolled(world)
    for answer in (
        await client.get(ENROL),
        await client.post(NEW, data={}),
        await client.post(ENROL, data={"code": "000000"}),
        await client.post(f"{ENROL}/passkey", data={"credential": CREDENTIAL}),
    ):
        assert (answer.status_code, answer.headers["location"]) == (303, "/login/second-step")
    assert (await client.get("/login/second-step")).status_code == 200


async def test_the_last_app_is_not_removed_and_the_page_says_why(world: World) -> None:
    client = await asked(world)
    page = await client.get((await turn_on(world, client)).headers["location"])
    answer = await client.post(f"{APP}/remove", data={"csrf": csrf_in(page)})
    assert answer.status_code == 409
    assert "Add another way to sign in before you remove this one." in answer.text
    assert "From then on, your password alone signs you in" not in answer.text
    assert "Remove authenticator app" in (await client.get(SECURITY)).text


async def test_a_session_from_before_says_why_it_is_over(world: World) -> None:
    required_factor.switch(world, SecondFactorRule.OFFERED)
    client = await world.client(None)
    await client.post("/login", data=PASSWORD)
    required_factor.switch(world, SecondFactorRule.REQUIRED)
    client.cookies.delete("access_token")
    answer = await client.get("/profile")
    assert answer.headers["location"] == "/signedout?reason=second_factor_required"
    page = await client.get("/login")
    assert "Your account needs more than a password now. Sign in again." in page.text


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("de", "Konto schützen"),
        ("es", "Proteja su cuenta"),
        ("fr", "Protégez votre compte"),
        ("pt", "Proteja a sua conta"),
    ],
)
async def test_it_speaks_the_language_of_its_reader(world: World, language: str, title: str) -> None:
    client = await asked(world)
    page = await client.get(ENROL, headers={"Accept-Language": language})
    assert f"<h1>{title}</h1>" in page.text
