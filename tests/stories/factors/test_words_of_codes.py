"""A wrong code, a code that was used and one of another time have codes and words of their own, on every face. Each
counts as an attempt, and only a code that was right is told to be anything but wrong.
"""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories import required_factor
from tests.stories.factors.apps import CONFIRM, SECOND, App, enrolled, first_step, prove, scan
from tests.stories.step_up.test_factors import STEP_UP
from tests.unit.web.authenticator_app import APP
from vestibule.model.factor_errors import TYPED_AGAIN, CodeOfAnotherTime, CodeUsed, WrongCode
from vestibule.protocol import refusals
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.pages.code_words import WRONG_CODES, WRONG_NEW_CODES

STEP, AGAIN, ENROL = "/login/second-step", "/reauthenticate", "/login/enrol"
Send = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]


def by_api(path: str) -> Send:
    return lambda browser, code: browser.post(path, json={"code": code})


def by_page(path: str) -> Send:
    async def send(browser: httpx.AsyncClient, code: str) -> httpx.Response:
        browser.headers.pop("Origin", None)
        browser.headers["Sec-Fetch-Site"] = "same-origin"
        page = await browser.get(path)
        csrf = {"csrf": csrf_in(page)} if 'name="csrf"' in page.text else {}
        return await browser.post(path, data={**csrf, "code": code, "by": "totp"})

    return send


STEPS = {"second step": SECOND, "its page": STEP, "step-up": STEP_UP, "its page too": AGAIN}
ENROLMENTS = {"setting up": CONFIRM, "its page": APP}


def says(answer: httpx.Response, refused: type[WrongCode], words: dict[type[WrongCode], tuple[str, object]]) -> None:
    """The answer has the code and the sentence of this refusal, and no other's."""
    assert answer.status_code == 403, answer.text
    if answer.headers["content-type"].startswith("application/json"):
        mapping = HTTP_MAPPINGS[refused]
        assert (answer.json()["code"], answer.json()["message"]) == (refused.code, mapping.message)
    else:
        assert [each for each, (text, _) in words.items() if text in answer.text] == [refused]


def send_to(path: str) -> Send:
    return by_api(path) if path.startswith("/api") else by_page(path)


@pytest.mark.any_engine
@pytest.mark.parametrize("face", STEPS)
async def test_f74_each_wrong_code_has_its_own_words(world: World, face: str) -> None:
    """F74: at the second step and at a step-up, by API and page."""
    path = STEPS[face]
    mine, app, _ = await enrolled(world)
    await prove(mine, app)
    used = app.code()
    if path in {SECOND, STEP}:
        await first_step(mine)
    world.clock.advance(seconds=30)
    wrong = f"{(int(app.code()) + 500_000) % 1_000_000:06}"
    for code, refused in ((wrong, WrongCode), (used, CodeUsed), (app.code(-10), CodeOfAnotherTime)):
        says(await send_to(path)(mine, code), refused, WRONG_CODES)
    assert await attempts(world) == 3


async def attempts(world: World) -> int:
    """How many wrong codes are counted in a row."""
    async with world.env.store.reading() as read:
        account = await read.accounts.with_email("ada@example.com")
        assert account is not None
        events = await read.events.of_account(account.id, 100)
    return len([event for event in events if event.kind == "second_factor_refused"])


@pytest.mark.any_engine
@pytest.mark.parametrize("face", ENROLMENTS)
@pytest.mark.parametrize("steps", [-10, 10])
async def test_f74_so_it_has_while_an_app_is_set_up(world: World, face: str, steps: int) -> None:
    """F74: whoever was shown the secret is told of a clock that is slow or fast."""
    await world.register()
    browser = await world.sign_in()
    app = await scan(world, browser)
    await enrolling(browser, app, ENROLMENTS[face], steps)


@pytest.mark.any_engine
@pytest.mark.parametrize("path", [required_factor.CONFIRM, ENROL])
async def test_f74_so_it_has_at_a_sign_in_that_must_set_one_up(backend: Backend, path: str) -> None:
    async with required_factor.requiring(backend) as world:
        browser = await required_factor.asked_to_enrol(world)
        await enrolling(browser, await required_factor.scan(world, browser), path, -10)


async def enrolling(browser: httpx.AsyncClient, app: App, path: str, steps: int) -> None:
    wrong = f"{(int(app.code()) + 500_000) % 1_000_000:06}"
    says(await send_to(path)(browser, wrong), WrongCode, WRONG_NEW_CODES)
    says(await send_to(path)(browser, app.code(steps)), CodeOfAnotherTime, WRONG_NEW_CODES)


def test_f74_every_face_knows_them_all() -> None:
    """F74: the pages, the API, and the kit with `vestibule login`, which asks again after each."""
    assert set(WRONG_CODES) == set(WRONG_NEW_CODES) == set(TYPED_AGAIN)
    assert len({HTTP_MAPPINGS[each].message for each in TYPED_AGAIN}) == len(TYPED_AGAIN)
    assert {each.code for each in TYPED_AGAIN} == refusals.TYPED_AGAIN
