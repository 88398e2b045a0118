"""A pause of the second step is told to the owner by email: whoever typed the wrong codes has the password."""

import pytest

from tests.harness.world import World
from tests.stories.attempts.test_login_attempts import stranger
from tests.stories.factors.apps import ADA, LOGIN, first_step, second_step
from tests.stories.factors.resets import an_owner
from tests.stories.factors.test_guesses import LIMIT, guess
from tests.stories.factors.test_pauses import spend
from vestibule.flows.find_people import find_account
from vestibule.model.factor_attempts import RECOVERY_CODE_LIMITS, counters_of_second_factor
from vestibule.model.letters import LetterKind

PAUSED = LetterKind.SECOND_FACTOR_PAUSED
pytestmark = pytest.mark.any_engine


async def told(world: World) -> int:
    """How many letters of a pause have arrived."""
    await world.deliver()
    return [letter.kind for letter in world.mailer.letters].count(PAUSED)


async def test_f33_the_pause_is_told_once_a_day_with_what_to_do(world: World) -> None:
    """F33: by the code that begins it, and for as long as an attacker goes on."""
    await an_owner(world)
    for number in range(LIMIT):
        assert await told(world) == 0
        assert await guess(world, number, "x") == "wrong_code"
    assert await told(world) == 1
    plain = world.mailer.messages[-1].get_body(("plain",))
    assert plain is not None
    text = " ".join(plain.get_content().split())
    assert "someone knows your password: choose a new one now" in text
    assert "198.51.0.9" in text, "from where"
    assert "/forgotpassword" in text
    for minute in range(5):
        world.clock.advance(minutes=minute)
        assert await guess(world, 100 + minute, "x") == "second_factor_paused"
    assert await told(world) == 1
    for day in (2, 3):
        world.clock.advance(days=1)
        assert [await guess(world, day, "x"), await guess(world, day, "x")] == ["wrong_code", "second_factor_paused"]
        assert await told(world) == day


async def test_f33_a_pause_of_recovery_codes_is_told_too(world: World) -> None:
    await an_owner(world)
    account = await find_account(world.env, ADA)
    assert account is not None
    (others,) = counters_of_second_factor(account, None, RECOVERY_CODE_LIMITS)
    await spend(world, others, RECOVERY_CODE_LIMITS, RECOVERY_CODE_LIMITS.free - 1)
    assert await guess(world, 1, "0-00000-00000") == "wrong_code"
    assert await told(world) == 1


async def test_f33_wrong_codes_in_a_session_are_told_when_none_is_checked_any_more(world: World) -> None:
    """F33: the session has tries of its own, and then those of all others."""
    owner = await an_owner(world)
    codes = [(await owner.browser.post("/api/users/me/step-up", json={"code": "x"})).json()["code"] for _ in range(20)]
    assert codes[-1] == "second_factor_paused"
    assert await told(world) == 1


async def test_f33_who_lacks_the_password_causes_no_letter(world: World) -> None:
    """F33: nobody is frightened by a stranger who knows an email."""
    await an_owner(world)
    for number in range(60):
        async with await stranger(world, f"198.51.1.{number}") as client:
            body = {"email": ADA, "password": f"wrong horse {number}"}
            assert (await client.post(LOGIN, json=body)).status_code in {400, 429}
    assert await told(world) == 0


async def test_f33_an_owner_who_mistypes_and_then_signs_in_is_told_nothing(world: World) -> None:
    owner = await an_owner(world)
    await first_step(browser := await world.client())
    for _ in range(LIMIT - 1):
        assert await second_step(browser, "x") == "wrong_code"
    assert await second_step(browser, owner.app.next_code()) == "ok"
    assert await told(world) == 0
