"""My passkeys on the security page: added, renamed and removed, and what the password manager is told."""

import json
import re

import httpx
import pytest

from tests.harness.authenticator import ICLOUD, Authenticator
from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.passkeys import step_up, store_passkey
from tests.stories.required_factor import switch
from tests.unit.web.authenticator_app import CODES, SECURITY, codes_shown, turn_on
from tests.unit.web.people import ada, ada_again
from vestibule.model.factors import SecondFactorRule
from vestibule.model.passkeys import MOST_PASSKEYS

pytestmark = pytest.mark.any_engine
LIST = f"{SECURITY}/passkeys"
NEW = f"{LIST}/new"
OPTIONS = "/api/users/me/factors/passkeys/options"
SIGNAL = re.compile(r'data-passkeys-of="(.*?)" data-user="(.*?)" data-accepted="(.*?)" data-removed="(.*?)"')
ROW = re.compile(rf'href="{LIST}/([0-9a-f-]{{36}})"')


async def send(client: httpx.AsyncClient, authenticator: Authenticator, **more: str) -> httpx.Response:
    """Make a passkey as the page's script does, and send the form."""
    page = await client.get(NEW)
    options = (await client.post(OPTIONS)).json()["data"]["publicKey"]
    credential = json.dumps(authenticator.create(options))
    return await client.post(LIST, data={"csrf": csrf_in(page), "credential": credential, **more})


async def with_passkey(world: World) -> tuple[httpx.AsyncClient, str, str]:
    """Ada, who added a passkey on the page and used it; where it is renamed, and its credential."""
    client, authenticator = await ada(world), Authenticator(synced=True, aaguid=ICLOUD)
    await send(client, authenticator)
    assert (await step_up(client, authenticator)).status_code == 200
    text = (await client.get(SECURITY)).text
    signal = SIGNAL.findall(text)[0]
    return client, f"{LIST}/{ROW.findall(text)[0]}", signal[2]


async def test_the_first_passkey_is_added_with_recovery_codes_and_listed_by_its_maker(world: World) -> None:
    client = await ada(world)
    assert "Sign in with your fingerprint" in (await client.get(SECURITY)).text
    page = await client.get(NEW)
    assert "This browser cannot create passkeys here" in page.text, "without the script, which hides that"
    answer = await send(client, Authenticator(synced=True, aaguid=ICLOUD))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CODES}?notice=passkey_added")
    assert len(await codes_shown(client)) == 10
    assert "ceremony" not in client.cookies
    text = (await client.get(f"{SECURITY}?notice=passkey_added")).text
    assert "Your passkey is added." in text
    assert "<strong>iCloud Keychain</strong>" in text
    assert "not used yet · synced to your devices" in text
    assert "10 of 10 left" in text


async def test_another_passkey_leads_back_and_may_sign_out_other_devices(world: World) -> None:
    client, authenticator = await ada(world), Authenticator()
    other = await ada_again(world)
    assert "Sign out all my other devices (1)" in (await client.get(NEW)).text
    await send(client, authenticator)
    assert (await other.get("/api/users/me")).status_code == 200
    await step_up(client, authenticator)
    answer = await send(client, Authenticator(), end_others="on")
    assert answer.headers["location"] == f"{SECURITY}?notice=passkey_added"
    assert (await other.get("/api/users/me")).status_code == 401
    assert (await client.get(SECURITY)).text.count("on one device only") == 2


@pytest.mark.parametrize("sent", ["", "{", "{}", '{"id": 1}'])
async def test_what_is_no_new_passkey_is_refused_in_words(world: World, sent: str) -> None:
    client = await ada(world)
    csrf = csrf_in(await client.get(NEW))
    await client.post(OPTIONS)
    answer = await client.post(LIST, data={"csrf": csrf, "credential": sent})
    assert (answer.status_code, "This passkey could not be accepted." in answer.text) == (400, True)


async def test_an_answer_that_is_sent_twice_took_too_long(world: World) -> None:
    client, authenticator = await ada(world), Authenticator()
    csrf, options = csrf_in(await client.get(NEW)), (await client.post(OPTIONS)).json()["data"]["publicKey"]
    kept = client.cookies["ceremony"]
    fields = {"csrf": csrf, "credential": json.dumps(authenticator.create(options))}
    assert (await client.post(LIST, data=fields)).status_code == 303
    await step_up(client, authenticator)
    client.cookies.set("ceremony", kept)
    answer = await client.post(LIST, data=fields)
    assert (answer.status_code, "This took too long." in answer.text) == (400, True)


async def test_with_as_many_as_there_may_be_the_page_says_so(world: World) -> None:
    client, authenticator = await ada(world), Authenticator()
    for _ in range(MOST_PASSKEYS):
        await store_passkey(world, authenticator)
    await step_up(client, authenticator)
    page = await client.get(NEW)
    assert f"You have {MOST_PASSKEYS} passkeys" in page.text
    assert "data-passkey=" not in page.text


async def test_a_passkey_is_renamed(world: World) -> None:
    client, path, _ = await with_passkey(world)
    page = await client.get(path)
    assert 'value="iCloud Keychain"' in page.text
    for name, said in (("", "Enter a name for the passkey."), ("x" * 65, "Use at most 64 characters.")):
        refused = await client.post(path, data={"csrf": csrf_in(page), "name": name})
        assert (refused.status_code, said in refused.text) == (400, True)
    answer = await client.post(path, data={"csrf": csrf_in(page), "name": " Ada's <phone> "})
    assert answer.headers["location"] == f"{SECURITY}?notice=passkey_renamed"
    assert "<strong>Ada&#39;s &lt;phone&gt;</strong>" in (await client.get(SECURITY)).text


async def test_a_removed_passkey_is_named_to_the_password_manager(world: World) -> None:
    client, path, credential = await with_passkey(world)
    page = await client.get(f"{path}/remove")
    assert "<strong>iCloud Keychain</strong>" in page.text
    assert "your recovery codes stop working" in page.text
    answer = await client.post(f"{path}/remove", data={"csrf": csrf_in(page)})
    assert answer.headers["location"] == f"{SECURITY}?notice=passkey_removed&removed={credential}"
    text = (await client.get(answer.headers["location"])).text
    assert SIGNAL.findall(text)[0][0] == "localhost"
    assert SIGNAL.findall(text)[0][2:] == ("", credential)
    assert "of 10 left" not in text
    assert (await client.post(f"{path}/remove", data={"csrf": csrf_in(page)})).headers["location"] == SECURITY


async def test_the_last_factor_stays_where_one_is_required(world: World) -> None:
    client, path, _ = await with_passkey(world)
    switch(world, SecondFactorRule.REQUIRED)
    page = await client.get(f"{path}/remove")
    answer = await client.post(f"{path}/remove", data={"csrf": csrf_in(page)})
    assert "Your account needs more than a password." in answer.text
    assert ROW.findall((await client.get(SECURITY)).text)


async def test_beside_an_app_recovery_codes_stay(world: World) -> None:
    client, path, _ = await with_passkey(world)
    await turn_on(world, client)
    assert "your recovery codes stop working" not in (await client.get(f"{path}/remove")).text
    assert "needs a passkey or a recovery code" in (await client.get(f"{SECURITY}/authenticator/remove")).text


@pytest.mark.parametrize("removed", ["{credential}", "a b", "<b>", "x" * 1401, ""])
async def test_no_link_makes_a_browser_forget_a_passkey(world: World, removed: str) -> None:
    """What the URL says was removed is believed only if nobody has it."""
    client, _, credential = await with_passkey(world)
    page = await client.get(SECURITY, params={"removed": removed.format(credential=credential)})
    assert SIGNAL.findall(page.text)[0][2:] == (credential, "")


@pytest.mark.parametrize("page", ["", "/remove"])
async def test_the_passkey_of_somebody_else_has_no_page(world: World, page: str) -> None:
    _, path, _ = await with_passkey(world)
    await world.register("grace@example.com")
    grace = await world.sign_in("grace@example.com")
    grace.headers["Accept"] = "text/html"
    for at in (path, f"{LIST}/none"):
        assert (await grace.get(f"{at}{page}")).status_code == 404
