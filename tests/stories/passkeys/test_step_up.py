"""A step-up with a passkey: of the account, in the session that asked, once."""

import asyncio
from collections import Counter

import pytest

from tests.harness.authenticator import HONEST, UV, Authenticator, Lie
from tests.harness.world import World
from tests.stories.passkeys import OPTIONS, STEP_UP, VERIFY, ask, sign_in, step_up, store_passkey
from tests.stories.step_up.test_tokens import access_of, copy_of
from vestibule.model.passkeys import Passkey

ASK = f"{STEP_UP}/options"
BOB = "bob@example.com"


@pytest.mark.parametrize(
    ("lie", "methods", "acr"),
    [(HONEST, ("hwk", "user", "mfa"), 3), (Lie(off=UV), ("pwd", "hwk", "mfa"), 3)],
    ids=["verified", "not verified"],
)
async def test_f26_a_passkey_steps_up(
    world: World, authenticator: Authenticator, lie: Lie, methods: tuple[str, ...], acr: int
) -> None:
    """F26: two factors by itself if its user was verified, otherwise with the password that the session began with."""
    browser = await world.sign_in()
    await store_passkey(world, authenticator)
    before = access_of(world, browser)
    world.clock.advance(minutes=6)
    assert (await browser.delete("/api/users/me/sessions")).status_code == 403
    answer = await step_up(browser, authenticator, lie)
    assert answer.status_code == 200, answer.text
    after = access_of(world, browser)
    assert (after.session_id, after.methods, after.level) == (before.session_id, methods, acr)
    assert after.authenticated_at == before.authenticated_at + 360
    assert "ceremony" not in browser.cookies
    assert (await browser.delete("/api/users/me/sessions")).status_code == 200


async def test_f26_possession_alone_is_one_factor(world: World, authenticator: Authenticator, passkey: Passkey) -> None:
    """F26: in a session that began with a passkey, one whose user was not verified proves no second factor."""
    browser = await world.client()
    assert (await sign_in(browser, authenticator)).status_code == 200
    tokens = dict(browser.cookies)
    refused = await step_up(browser, authenticator, Lie(off=UV))
    assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
    assert refused.json()["satisfied_by"] == ["passkey"]
    assert {name: browser.cookies[name] for name in tokens} == tokens


async def test_f26_the_question_belongs_to_the_session_that_asked(world: World, authenticator: Authenticator) -> None:
    """F26: and to a step-up: no sign-in, and no other session, not even of the account, takes the answer."""
    browser, other = await world.sign_in(), await world.sign_in()
    passkey = await store_passkey(world, authenticator)
    options = (await browser.post(ASK)).json()["data"]["publicKey"]
    assert [allowed["id"] for allowed in options["allowCredentials"]] == [passkey.credential_id]
    credential, cookie = authenticator.get(options), browser.cookies["ceremony"]
    for path, by in ((STEP_UP, other), (VERIFY, other)):
        by.cookies.set("ceremony", cookie)
        refused = await by.post(path, json={"credential": credential})
        assert (refused.status_code, refused.json()["code"]) == (400, "ceremony_over")
    thief = await copy_of(world, browser)
    await thief.post(OPTIONS)
    refused = await thief.post(STEP_UP, json={"credential": authenticator.get(await ask(thief))})
    assert refused.json()["code"] == "ceremony_over"
    assert (await browser.post(STEP_UP, json={"credential": credential})).status_code == 200
    browser.cookies.set("ceremony", cookie)
    assert (await browser.post(STEP_UP, json={"credential": credential})).json()["code"] == "ceremony_over"


async def test_f26_a_passkey_of_another_account_proves_nothing(world: World, authenticator: Authenticator) -> None:
    """F26: also in the session of somebody who has one too."""
    browser = await world.sign_in()
    await store_passkey(world, authenticator)
    await world.register(BOB)
    bobs = Authenticator()
    await store_passkey(world, bobs, BOB)
    tokens = dict(browser.cookies)
    options = (await browser.post(ASK)).json()["data"]["publicKey"] | {"allowCredentials": []}
    refused = await browser.post(STEP_UP, json={"credential": bobs.get(options)})
    assert (refused.status_code, refused.json()["code"]) == (400, "passkey_refused")
    assert {name: browser.cookies[name] for name in tokens} == tokens


async def test_f26_a_question_is_answered_once_by_many_at_once(racing_world: World) -> None:
    """F26: on PostgreSQL."""
    await racing_world.register()
    authenticator = Authenticator()
    browser = await racing_world.sign_in()
    await store_passkey(racing_world, authenticator)
    credential = authenticator.get((await browser.post(ASK)).json()["data"]["publicKey"])
    tabs = [await copy_of(racing_world, browser) for _ in range(8)]
    answers = await asyncio.gather(*(tab.post(STEP_UP, json={"credential": credential}) for tab in tabs))
    codes = Counter(answer.json().get("code", "let in") for answer in answers)
    assert codes == {"let in": 1, "ceremony_over": len(tabs) - 1}
