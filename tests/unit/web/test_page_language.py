"""The language of pages, and of what they have mailed."""

import pytest

from tests.harness.world import World
from tests.unit.web.people import ada
from vestibule.web.pages.render import waiting_time_in


async def test_the_chosen_language_is_kept_and_used(world: World) -> None:
    client = await world.client(None)
    client.headers["Accept-Language"] = "fr"
    assert 'lang="fr"' in (await client.get("/login")).text
    answer = await client.post("/language", data={"language": "de", "return_to": "/register?x=1"})
    assert answer.headers["location"] == "/register?x=1"
    assert '<html lang="de">' in (await client.get("/register")).text
    fields = {
        "name": "Ada",
        "email": "ada@example.com",
        "password": "correct horse",
        "passwordConfirm": "correct horse",
    }
    assert (await client.post("/register", data=fields)).headers["location"] == "/profile?notice=signed_up"
    await world.deliver()
    assert world.mailer.letters[-1].language == "de"


async def test_an_unknown_language_is_none(world: World) -> None:
    client = await world.client(None)
    answer = await client.post("/language", data={"language": "tlh", "return_to": "//evil.example"})
    assert answer.headers["location"] == "/profile"
    assert "set-cookie" not in answer.headers


async def test_who_is_signed_in_gets_letters_in_the_language_that_was_chosen_last(world: World) -> None:
    client = await ada(world)
    await client.post("/language", data={"language": "fr", "return_to": "/profile"})
    await world.sign_in()  # elsewhere, where nobody has chosen
    stranger = await world.client(None)
    stranger.headers["Accept-Language"] = "es"
    await stranger.post("/forgotpassword", data={"email": "ada@example.com"})
    await world.deliver()
    assert world.mailer.letters[-1].language == "fr"
    assert (await client.get("/profile/data")).json()["account"]["language"] == "fr"


async def test_a_language_chosen_twice_changes_nothing_the_second_time(world: World) -> None:
    client = await ada(world)
    changed = []
    for _ in range(2):
        world.clock.advance(seconds=1)
        await client.post("/language", data={"language": "pt", "return_to": "/profile"})
        changed.append((await client.get("/profile/data")).json()["account"]["updated_at"])
    assert changed[0] == changed[1]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "in 1 second"),
        (119, "in 119 seconds"),
        (120, "in 2 minutes"),
        (121, "in 3 minutes"),
        (7200, "in 2 hours"),
        (7201, "in 3 hours"),
        (172_801, "in 3 days"),
    ],
)
def test_a_wait_is_never_told_too_short(seconds: int, said: str) -> None:
    assert waiting_time_in(seconds, "en") == said
