"""A passkey that nobody has here any more: each page that asks for one says so, and tells the password manager."""

import json
import re

import httpx
import pytest

from tests.harness.authenticator import Authenticator, Json
from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.passkeys import PARTY, store_passkey
from tests.unit.web.people import ada

pytestmark = pytest.mark.any_engine
TOLD = re.compile(r'data-unknown-passkey="(.*?)" data-domain="(.*?)"')
PAGES = {
    "/login": "/api/auth/passkeys/options",
    "/login/second-step": "/api/auth/login/second-factor/options",
    "/reauthenticate": "/api/users/me/step-up/options",
}
PASSWORD = {"email": "ada@example.com", "password": "correct horse"}


async def at(world: World, page: str) -> tuple[httpx.AsyncClient, Authenticator, str, dict[str, str]]:
    """Ada at a page that asks for a passkey, her authenticator with two, the id of the newer one, and the form."""
    client, mine = await ada(world), Authenticator()
    await store_passkey(world, mine)
    passkey = await store_passkey(world, mine)
    form = {"by": "passkey", "csrf": csrf_in(await client.get("/profile"))}
    if page != "/reauthenticate":
        client = await world.client(None)
    if page == "/login/second-step":
        await client.post("/login", data=PASSWORD)
    return client, mine, passkey.id, form


async def remove(world: World, passkey_id: str) -> None:
    async with world.env.store.transaction() as tx:
        account = await tx.accounts.lock_at("ada@example.com")
        assert account is not None
        assert await tx.passkeys.remove(account.id, passkey_id)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("browser", [True, False], ids=["by_a_browser", "by_a_program"])
async def test_the_page_tells_which_passkey_nobody_has_here(world: World, page: str, browser: bool) -> None:
    client, mine, passkey_id, form = await at(world, page)
    asked: Json = (await client.post(PAGES[page])).json()["data"]["publicKey"]
    await remove(world, passkey_id)
    credential = mine.get(asked, passkey=mine.passkeys[-1])
    if browser:
        client.headers["Accept"] = "text/html"
    answer = await client.post(f"{page}/passkey", data={"credential": json.dumps(credential), **form})
    if browser:
        assert (answer.status_code, answer.headers["location"]) == (303, page)
        answer = await client.get(page)
    assert "This passkey is not known here." in answer.text
    assert TOLD.findall(answer.text) == [(credential["id"], PARTY.domain)]
    assert TOLD.findall((await client.get(page)).text) == [], "once"


@pytest.mark.parametrize("page", PAGES)
async def test_of_a_passkey_that_is_refused_for_another_reason_nothing_is_told(world: World, page: str) -> None:
    """The password manager would forget a passkey that still works."""
    client, mine, _, form = await at(world, page)
    asked: Json = (await client.post(PAGES[page])).json()["data"]["publicKey"]
    credential = mine.get({**asked, "challenge": "AAAA"})
    answer = await client.post(f"{page}/passkey", data={"credential": json.dumps(credential), **form})
    assert "This passkey could not be accepted." in answer.text
    assert TOLD.findall(answer.text) == []
