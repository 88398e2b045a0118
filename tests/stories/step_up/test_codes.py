"""A step-up by a code of the authenticator app, or a recovery code: once, and with the guesses of the sign-in."""

import asyncio
from collections import Counter

import httpx

from tests.harness.world import World
from tests.stories.factors.apps import enrolled, first_step, listed, second_step
from tests.stories.step_up.test_tokens import STEP_UP, access_of, copy_of
from vestibule.protocol.authentication import Level


async def step_up(browser: httpx.AsyncClient, code: str) -> str:
    """`ok`, or the code of the refusal."""
    answer = await browser.post(STEP_UP, json={"code": code})
    return "ok" if answer.status_code == 200 else str(answer.json()["code"])


async def test_f26_a_code_raises_the_level_of_new_tokens(world: World) -> None:
    """F26: by app or recovery code; once each; and the older token stays at level 1."""
    browser, app, codes = await enrolled(world)
    old = await copy_of(world, browser)
    code = app.next_code()
    assert await step_up(browser, code) == "ok"
    token = access_of(world, browser)
    assert (token.methods, token.level) == (("pwd", "otp", "mfa"), Level.TWO_FACTORS)
    assert token.authenticated_at == int(world.clock.now().timestamp())
    assert await step_up(browser, code) == "code_used"
    for expected in ("ok", "wrong_code"):
        assert await step_up(browser, codes[3]) == expected
    assert (await listed(browser))["recovery_codes_left"] == 9
    assert access_of(world, old).level is Level.ONE_FACTOR


async def test_f26_one_of_many_step_ups_with_one_code_succeeds(racing_world: World) -> None:
    """F26: at the same moment, on PostgreSQL."""
    browser, app, codes = await enrolled(racing_world)
    tabs = [await copy_of(racing_world, browser) for _ in range(8)]
    for code, refusal in ((app.next_code(), "code_used"), (codes[0], "wrong_code")):
        answers = Counter(await asyncio.gather(*(step_up(tab, code) for tab in tabs)))
        assert answers == {"ok": 1, refusal: len(tabs) - 1}


async def test_f27_step_ups_and_sign_ins_share_the_guesses_of_a_second_factor(world: World) -> None:
    """F27: whoever has the password and a session of the account has no more guesses by having two ways."""
    browser, app, _ = await enrolled(world)
    stranger, thief, answers = await world.client(), await copy_of(world, browser), Counter[str]()
    for name in [name for name in thief.cookies if name.startswith("device_")]:
        thief.cookies.delete(name)
    for number in range(30):
        await first_step(stranger)
        answers[await second_step(stranger, f"{number:06}")] += 1
        answers[await step_up(thief, f"{number + 500:06}")] += 1
    assert answers["wrong_code"] == 15, "five of those who are signed in on no known device, and ten from all others"
    assert answers["ok"] == 0
    assert await step_up(thief, app.next_code()) == "second_factor_paused"
