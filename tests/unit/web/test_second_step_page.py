"""The page of the second step, sent as a browser without a script sends it."""

from datetime import timedelta

import httpx
import pyotp
import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import FRONT_END, World
from tests.unit.web.authenticator_app import APP, CODES, begin, codes_shown
from tests.unit.web.people import ada, session_of
from vestibule.model.factor_attempts import SECOND_FACTOR_LIMITS
from vestibule.model.pending_sign_ins import LIFETIME

pytestmark = pytest.mark.any_engine
STEP = "/login/second-step"
PASSWORD = {"email": "ada@example.com", "password": "correct horse"}
LATE = "/login?notice=second_step_late"


async def ada_with_app(world: World) -> tuple[httpx.AsyncClient, pyotp.TOTP, list[str]]:
    """Somebody signed in with an app, the app, and the recovery codes."""
    client = await ada(world)
    page, app = await begin(client)
    await client.post(APP, data={"csrf": csrf_in(page), "code": app.at(world.clock.now())})
    codes = await codes_shown(client)
    world.clock.advance(seconds=30)
    return client, app, codes


async def at_second_step(world: World, **more: str) -> httpx.AsyncClient:
    """Another browser, where the password was right."""
    client = await world.client(None)
    answer = await client.post("/login", data={**PASSWORD, **more})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(STEP)
    return client


async def send(client: httpx.AsyncClient, code: str, by: str = "totp", **more: str) -> httpx.Response:
    return await client.post(STEP, data={"code": code, "by": by, **more})


async def with_second_step(world: World) -> tuple[httpx.AsyncClient, list[str]]:
    """Somebody who has just signed in with both, and the recovery codes."""
    _, app, codes = await ada_with_app(world)
    client = await at_second_step(world)
    assert (await send(client, app.at(world.clock.now()))).headers["location"] == "/profile"
    return client, codes


async def test_a_code_completes_the_sign_in_and_leads_where_it_was_going(world: World) -> None:
    _, app, _ = await ada_with_app(world)
    client = await at_second_step(world, return_to=f"{FRONT_END}/app")
    assert not {"access_token", "refresh_token", "logged_in"} & set(client.cookies)
    page = await client.get(STEP, params={"return_to": f"{FRONT_END}/app"})
    assert "ada@<wbr>example<wbr>.com" in page.text
    assert 'autocomplete="one-time-code"' in page.text
    assert 'inputmode="numeric"' in page.text
    answer = await send(client, app.at(world.clock.now()), return_to=f"{FRONT_END}/app")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{FRONT_END}/app")
    assert await session_of(client)
    assert "second_factor" not in client.cookies


async def test_a_recovery_code_does_too_once(world: World) -> None:
    _, _, codes = await ada_with_app(world)
    client = await at_second_step(world)
    page = await client.get(STEP)
    assert f'href="{STEP}?by=recovery_code"' in page.text
    page = await client.get(STEP, params={"by": "recovery_code"})
    assert "<h1>Enter a recovery code</h1>" in page.text
    assert f'href="{STEP}?by=totp"' in page.text
    answer = await send(client, codes[3].upper(), "recovery_code")
    assert answer.headers["location"] == "/profile"
    again = await send(await at_second_step(world), codes[3], "recovery_code")
    assert "This recovery code is wrong, or was used already." in again.text
    assert "9 of 10 left" in (await client.get("/profile/security")).text


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (None, "Enter the code."),
        (-60, "This code is wrong."),
        (-5, "This code is of another time."),
        (5, "This code is wrong."),  # of a browser that is not known: it may be a guess
    ],
)
async def test_a_code_that_is_not_good_has_its_own_words(world: World, minutes: int | None, said: str) -> None:
    _, app, _ = await ada_with_app(world)
    client = await at_second_step(world)
    code = "" if minutes is None else app.at(world.clock.now() + timedelta(minutes=minutes))
    answer = await send(client, code)
    assert answer.status_code in {400, 403}
    assert said in answer.text
    assert not code or code not in answer.text
    assert (await send(client, app.at(world.clock.now()))).status_code == 303


async def test_a_code_that_was_used_says_so(world: World) -> None:
    _, app, _ = await ada_with_app(world)
    code = app.at(world.clock.now())
    assert (await send(await at_second_step(world), code)).status_code == 303
    assert "This code was used already." in (await send(await at_second_step(world), code)).text


async def test_after_too_many_wrong_codes_the_page_says_what_to_do(world: World) -> None:
    _, app, _ = await ada_with_app(world)
    client = await at_second_step(world)
    for _ in range(SECOND_FACTOR_LIMITS.free):
        assert "This code is wrong." in (await send(client, "not a code")).text
    answer = await send(client, app.at(world.clock.now()))
    assert answer.status_code == 403
    assert "There were too many wrong codes. You can try one more in 24 hours." in answer.text


async def test_a_second_step_that_comes_too_late_begins_again(world: World) -> None:
    _, app, _ = await ada_with_app(world)
    client = await at_second_step(world)
    world.clock.advance(seconds=LIFETIME.total_seconds() + 1)
    for answer in (await client.get(STEP), await send(client, app.at(world.clock.now()))):
        assert (answer.status_code, answer.headers["location"]) == (303, LATE)
    assert "within 10 minutes" in (await client.get(LATE)).text
    stranger = await (await world.client(None)).get(STEP, params={"return_to": "/profile/name"})
    assert stranger.headers["location"] == f"{LATE}&return_to=%2Fprofile%2Fname"


async def test_where_somebody_is_signed_in_nothing_changes_before_the_second_step(world: World) -> None:
    client, app, _ = await ada_with_app(world)
    before = await session_of(client)
    answer = await client.post("/login", data=PASSWORD)
    assert answer.headers["location"] == STEP
    assert await session_of(client) == before
    assert (await client.get(STEP)).status_code == 200
    assert (await send(client, app.at(world.clock.now()))).headers["location"] == "/profile"
    assert await session_of(client) != before


async def test_once_the_app_is_gone_the_password_is_enough(world: World) -> None:
    owner, _ = await with_second_step(world)
    client = await at_second_step(world)
    await owner.post(f"{APP}/remove", data={"csrf": csrf_in(await owner.get(CODES.replace("codes", "codes/new")))})
    assert (await client.get(STEP)).headers["location"] == LATE
    assert (await client.post("/login", data=PASSWORD)).headers["location"] == "/profile"
