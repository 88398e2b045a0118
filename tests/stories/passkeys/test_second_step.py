"""A passkey as the second step: after the password, of that account, by an answer to the question of that sign-in."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from fido2.utils import websafe_encode

from tests.harness.authenticator import UP, UV, Authenticator, Lie
from tests.harness.world import World
from tests.stories.passkeys import EMAIL, VERIFY, add, ask, store_passkey
from vestibule.flows.identify import read_token

SECOND = "/api/auth/login/second-factor"
PASSWORD = "correct horse"
Browser = httpx.AsyncClient


async def first_step(browser: Browser, email: str = EMAIL) -> None:
    answer = await browser.post("/api/auth/login", json={"email": email, "password": PASSWORD})
    assert (answer.status_code, answer.json()["factors"]) == (403, ["passkey", "recovery_code"])


async def second_step(browser: Browser, authenticator: Authenticator, lie: Lie | None = None) -> httpx.Response:
    credential = authenticator.get(await ask(browser, f"{SECOND}/options"), lie or Lie())
    return await browser.post(SECOND, json={"credential": credential})


@pytest.fixture
async def key(world: World) -> Authenticator:
    """Ada's key, which she has added herself."""
    authenticator = Authenticator()
    assert (await add(await world.sign_in(), authenticator)).status_code == 201
    return authenticator


@pytest.mark.parametrize(
    ("lie", "methods"),
    [(Lie(off=UV), ("pwd", "hwk", "mfa")), (Lie(), ("pwd", "hwk", "user", "mfa"))],
    ids=["touched", "verified"],
)
async def test_f13_after_the_password_a_touch_is_enough(
    lie: Lie, methods: tuple[str, ...], world: World, key: Authenticator
) -> None:
    """F13: possession beside the password is two factors, of level 3."""
    browser = await world.client()
    await first_step(browser)
    options = await ask(browser, f"{SECOND}/options")
    assert [each["id"] for each in options["allowCredentials"]] == [websafe_encode(key.passkeys[0].id)]
    assert options["userVerification"] == "preferred"
    answer = await second_step(browser, key, lie)
    assert answer.status_code == 200, answer.text
    token = await read_token(world.env, answer.json()["access_token"])
    assert (token.methods, token.level) == (methods, 3)
    assert not {"second_factor", "ceremony"} & set(browser.cookies)


async def _without_the_password(world: World, _browser: Browser, _key: Authenticator) -> httpx.Response:
    return await (await world.client()).post(SECOND, json={"credential": {"id": "x"}})


async def _asked_without_the_password(world: World, _browser: Browser, _key: Authenticator) -> httpx.Response:
    return await (await world.client()).post(f"{SECOND}/options")


async def _asked_by_another_sign_in(world: World, browser: Browser, key: Authenticator) -> httpx.Response:
    other = await world.client()
    await first_step(other)
    credential = key.get(await ask(other, f"{SECOND}/options"))
    browser.cookies["ceremony"] = other.cookies["ceremony"]
    return await browser.post(SECOND, json={"credential": credential})


async def _asked_for_a_whole_sign_in(_world: World, browser: Browser, key: Authenticator) -> httpx.Response:
    return await browser.post(SECOND, json={"credential": key.get(await ask(browser))})


async def _answered_as_a_whole_sign_in(_world: World, browser: Browser, key: Authenticator) -> httpx.Response:
    credential = key.get(await ask(browser, f"{SECOND}/options"))
    return await browser.post(VERIFY, json={"credential": credential})


async def _with_a_passkey_of_another(world: World, browser: Browser, _key: Authenticator) -> httpx.Response:
    await world.register("grace@example.com")
    theirs = Authenticator()
    passkey = await store_passkey(world, theirs, "grace@example.com")
    options = {**await ask(browser, f"{SECOND}/options"), "allowCredentials": []}
    assert passkey
    return await browser.post(SECOND, json={"credential": theirs.get(options)})


async def _untouched(_world: World, browser: Browser, key: Authenticator) -> httpx.Response:
    return await second_step(browser, key, Lie(off=UP))


async def _twice(_world: World, browser: Browser, key: Authenticator) -> httpx.Response:
    credential = key.get(await ask(browser, f"{SECOND}/options"))
    kept = {name: browser.cookies[name] for name in ("ceremony", "second_factor")}
    assert (await browser.post(SECOND, json={"credential": credential})).status_code == 200
    browser.cookies.update(kept)
    return await browser.post(SECOND, json={"credential": credential})


async def _after_ten_minutes(world: World, browser: Browser, key: Authenticator) -> httpx.Response:
    world.clock.advance(minutes=9)
    credential = key.get(await ask(browser, f"{SECOND}/options"))
    world.clock.advance(minutes=1)
    return await browser.post(SECOND, json={"credential": credential})


async def _with_a_code_too(_world: World, browser: Browser, key: Authenticator) -> httpx.Response:
    credential = key.get(await ask(browser, f"{SECOND}/options"))
    return await browser.post(SECOND, json={"credential": credential, "code": "000000"})


Act = Callable[[World, Browser, Authenticator], Awaitable[httpx.Response]]
ATTEMPTS: dict[str, tuple[Act, str]] = {
    "without the password": (_without_the_password, "no_pending_sign_in"),
    "asked without the password": (_asked_without_the_password, "no_pending_sign_in"),
    "asked by another sign-in": (_asked_by_another_sign_in, "ceremony_over"),
    "asked for a whole sign-in": (_asked_for_a_whole_sign_in, "ceremony_over"),
    "answered as a whole sign-in": (_answered_as_a_whole_sign_in, "ceremony_over"),
    "with a passkey of another": (_with_a_passkey_of_another, "passkey_refused"),
    "untouched": (_untouched, "passkey_refused"),
    "twice": (_twice, "no_pending_sign_in"),
    "after ten minutes": (_after_ten_minutes, "no_pending_sign_in"),
    "with a code too": (_with_a_code_too, "body_invalid"),
}


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_f11_f12_no_other_answer_takes_the_second_step(name: str, world: World, key: Authenticator) -> None:
    """F11, F12: and none of them sets a cookie."""
    browser = await world.client()
    await first_step(browser)
    act, code = ATTEMPTS[name]
    answer = await act(world, browser, key)
    assert answer.json()["code"] == code
    assert "set-cookie" not in answer.headers


async def test_neither_code_nor_credential_is_explained(world: World, key: Authenticator) -> None:
    answer = await (await world.client()).post(SECOND, json={})
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, "Code is required")
