"""A phone's clock that is wrong by minutes is told, and no guesser is told which code will be right later."""

import httpx
import pytest

from tests.harness.world import World
from tests.stories.attempts.test_login_attempts import stranger
from tests.stories.factors.apps import App, enrolled, first_step
from tests.unit.web.test_sent_by_another import SHOWN, sent

STEP = "/login/second-step"
TOLD = "This code is of another time."
STEPS_BACK, STEPS_AHEAD = (-20, -10, -2), (2, 10, 20)


async def told(browser: httpx.AsyncClient, code: str) -> bool:
    """Whether the page says that the code is of another time."""
    await sent(browser, (STEP, {"code": code, "by": "totp"}))
    return TOLD in (await browser.get(STEP, headers=SHOWN)).text


async def unknown(world: World) -> httpx.AsyncClient:
    """A device that is not known, where the password was right."""
    browser = await stranger(world, "198.51.100.9")
    await first_step(browser)
    return browser


async def known(world: World) -> tuple[httpx.AsyncClient, App]:
    """The device where the app was added, signed out; and an hour later, so that all codes are new."""
    browser, app, _ = await enrolled(world)
    del browser.headers["Origin"]
    world.clock.advance(hours=1)
    await first_step(browser)
    return browser, app


@pytest.mark.parametrize("steps", STEPS_BACK)
async def test_f55_a_clock_that_is_slow_is_told_to_everybody(world: World, steps: int) -> None:
    """F55: a code of the last minutes is never good again."""
    _, app = await known(world)
    browser = await unknown(world)
    for _ in range(3):
        assert await told(browser, app.code(steps))
    assert not await told(browser, app.code(-21))


@pytest.mark.parametrize("steps", STEPS_AHEAD)
async def test_f55_a_clock_that_is_fast_is_told_at_the_first_attempt_of_a_known_device(
    world: World, steps: int
) -> None:
    """F55: and not at the next ones, nor to a device that is not known."""
    browser, app = await known(world)
    assert not await told(await unknown(world), app.code(steps))
    assert await told(browser, app.code(steps))
    for _ in range(3):
        assert not await told(browser, app.code(steps))
    assert (await sent(browser, (STEP, {"code": app.code(), "by": "totp"}))).headers["location"] == "/profile"
    await first_step(browser)
    assert await told(browser, app.code(steps)), "after a right one it is the first attempt again"


async def test_f55_a_known_device_that_has_spent_its_own_is_not_told(world: World) -> None:
    """F55: it counts as one that is not known."""
    browser, app = await known(world)
    for _ in range(5):
        await told(browser, "x")
    assert not await told(browser, app.code(2))
    assert await told(browser, app.code(-2))
