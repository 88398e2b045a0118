"""L4: the owner is told of what happens to the account and from where; once, and only at a verified email."""

import httpx
import pytest

from tests.harness.world import World
from tests.unit.flows import PASSWORD, ask_for_reset, reset, twice, verify
from vestibule.model.devices import describe
from vestibule.model.letters import LetterKind

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
NEW_DEVICE, CHANGED, REUSED = LetterKind.NEW_DEVICE, LetterKind.PASSWORD_CHANGED, LetterKind.TOKEN_REUSED


@pytest.fixture
async def ada(world: World) -> World:
    """Ada has an account, whose email is verified."""
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    return world


async def sign_in(world: World, agent: str, browser: httpx.AsyncClient | None = None) -> httpx.AsyncClient:
    """A browser that calls itself so, signed in; time passes."""
    browser = browser or await world.client()
    browser.headers["User-Agent"] = agent
    body = {"email": "ada@example.com", "password": PASSWORD}
    assert (await browser.post("/api/auth/login", json=body)).status_code == 200
    world.clock.advance(seconds=1)
    await world.deliver()
    return browser


def told(world: World, kind: LetterKind) -> list[str]:
    """What each letter of a kind says of the device."""
    return [letter.detail["device"] for letter in world.mailer.letters if letter.kind is kind]


async def test_l4_a_new_device_is_told_and_the_first_and_a_known_one_are_not(ada: World) -> None:
    firefox = await sign_in(ada, FIREFOX)
    assert told(ada, NEW_DEVICE) == []
    await sign_in(ada, FIREFOX, firefox)
    assert told(ada, NEW_DEVICE) == []
    phone = await sign_in(ada, SAFARI)
    assert told(ada, NEW_DEVICE) == ["Safari, iPhone"]
    await sign_in(ada, SAFARI, phone)
    # Its cookie is enough, whatever the browser calls itself after an update.
    await sign_in(ada, FIREFOX.replace("145", "146"), firefox)
    assert told(ada, NEW_DEVICE) == ["Safari, iPhone"]


async def test_a_program_without_cookies_is_known_by_what_it_is_and_where_it_stands(ada: World) -> None:
    for _ in range(3):
        await sign_in(ada, "curl/8.5.0")
    assert told(ada, NEW_DEVICE) == []


async def test_a_cookie_of_another_account_knows_nobody(ada: World) -> None:
    await ada.register("grace@example.com")
    theirs = await ada.sign_in("grace@example.com")
    await sign_in(ada, FIREFOX)
    await sign_in(ada, SAFARI, theirs)
    assert told(ada, NEW_DEVICE) == ["Safari, iPhone"]


async def test_an_email_that_nobody_has_verified_is_told_nothing(world: World) -> None:
    await world.register()
    await sign_in(world, FIREFOX)
    await sign_in(world, SAFARI)
    assert told(world, NEW_DEVICE) == []


async def test_after_a_reset_no_device_is_known_but_the_one_that_did_it(ada: World) -> None:
    firefox = await sign_in(ada, FIREFOX)
    await ask_for_reset(ada)
    await ada.deliver()
    assert await reset(ada, ada.secret(LetterKind.RESET_PASSWORD), PASSWORD) == 200
    await sign_in(ada, SAFARI)
    await sign_in(ada, FIREFOX + " more", firefox)
    assert told(ada, NEW_DEVICE) == ["Safari, iPhone", "Firefox, Windows"]


async def test_l4_a_changed_password_is_told_with_the_device_that_changed_it(ada: World) -> None:
    firefox = await sign_in(ada, FIREFOX)
    body = {"currentPassword": PASSWORD, **twice("battery staple")}
    assert (await firefox.patch("/api/users/me/password", json=body)).status_code == 200
    await ask_for_reset(ada)
    await ada.deliver()
    assert await reset(ada, ada.secret(LetterKind.RESET_PASSWORD)) == 200
    await ada.deliver()
    assert [device.partition(",")[0] for device in told(ada, CHANGED)] == ["Firefox", "Python"]


async def test_l4_a_token_that_was_used_twice_is_told_with_the_device_it_was_given_to(ada: World) -> None:
    firefox = await sign_in(ada, FIREFOX)
    stolen = firefox.cookies["refresh_token"]
    for _ in range(2):
        ada.clock.advance(minutes=5)
        assert (await firefox.get("/api/auth/refresh")).status_code == 200
    thief = await ada.client()
    thief.headers["User-Agent"] = SAFARI
    for _ in range(2):
        answer = await thief.get("/api/auth/refresh", headers={"Cookie": f"refresh_token={stolen}"})
        assert answer.status_code == 403
    await ada.deliver()
    assert told(ada, REUSED) == ["Firefox, Windows"]


@pytest.mark.parametrize(
    ("agent", "words"),
    {
        FIREFOX: "Firefox, Windows",
        SAFARI: "Safari, iPhone",
        "curl/8.5.0": "curl",
        "": "",
        "https://evil.example call +1 900": "",
        "Chrome/1 <a href='https://evil.example'>": "Chrome",
    }.items(),
)
def test_m13_a_device_is_described_in_our_words_alone(agent: str, words: str) -> None:
    assert describe(agent) == words
