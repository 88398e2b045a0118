"""The second step of a sign-in: it needs the first one, in the same browser, of the same account, and happens once."""

import asyncio

import httpx
import pytest

from tests.harness import dump
from tests.harness.statements import statements
from tests.harness.world import World
from tests.stories.factors.apps import (
    ADA,
    LOGIN,
    PASSWORD,
    SECOND,
    TOTP,
    enrol,
    enrolled,
    first_step,
    prove,
    second_step,
)
from vestibule.flows.administer import disable_account, enable_account, sign_out_everywhere
from vestibule.flows.find_people import find_account
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.pending_sign_ins import LIFETIME
from vestibule.protocol.authentication import level_reached

BOB = "bob@example.com"
HERS = ("access_token", "refresh_token", "logged_in")


async def test_f6_the_right_password_alone_gives_no_token(world: World) -> None:
    """F6: a status that no front-end takes for a sign-in, by which factors, and one cookie that scripts cannot read."""
    await enrolled(world)
    browser = await world.client()
    answer = await browser.post(LOGIN, json={"email": ADA, "password": PASSWORD})
    assert (answer.status_code, answer.json()) == (
        403,
        {
            "status": "fail",
            "code": "second_factor_required",
            "message": "Use your second factor to finish signing in",
            "factors": ["totp", "recovery_code"],
        },
    )
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("second_factor=")
    assert "; HttpOnly" in cookie
    assert "; SameSite=Lax" in cookie
    assert f"; Max-Age={LIFETIME.total_seconds():.0f};" in cookie
    assert not set(HERS) & set(browser.cookies)
    assert (await browser.get("/api/users/me")).status_code == 401


async def test_f6_with_a_code_the_sign_in_is_complete_and_says_so(world: World) -> None:
    """F6: the token has level 2 and the methods; the handle is gone from browser and database."""
    _, app, _ = await enrolled(world)
    browser = await world.client()
    await first_step(browser)
    answer = await browser.post(SECOND, json={"code": app.next_code()})
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    assert "second_factor" not in browser.cookies
    assert (await browser.get("/api/users/me")).status_code == 200
    (row,) = [row for row in (await dump.tables(world))["sessions"] if "pwd otp mfa" in row]
    assert level_reached(["pwd", "otp", "mfa"]) == 2
    assert row
    assert (await dump.tables(world))["pending_sign_ins"] == []


async def test_f6_a_handle_and_a_code_work_once(world: World) -> None:
    """F6: neither the same request again, nor the code with another handle, nor the handle with another code."""
    _, app, _ = await enrolled(world)
    browser, other = await world.client(), await world.client()
    await first_step(browser)
    await first_step(other)
    handle, code = dict(browser.cookies), app.next_code()
    assert await second_step(browser, code) == "ok"
    assert await second_step(other, code) == "code_used"
    again = await world.client()
    again.cookies.update(handle)
    assert await second_step(again, app.next_code()) == "no_pending_sign_in"
    assert await second_step(other, app.code()) == "ok"


async def test_f6_it_needs_the_cookie_of_the_browser_that_gave_the_password(world: World) -> None:
    """F6: no cookie, somebody else's, or one with a made-up handle."""
    _, app, _ = await enrolled(world)
    await world.register(BOB)
    bob = await world.sign_in(BOB)
    bobs_app, _ = await enrol(world, bob)
    await first_step(browser := await world.client())
    assert await second_step(await world.client(), app.next_code()) == "no_pending_sign_in"
    bobs = await world.client()
    await first_step(bobs, BOB)
    assert await second_step(bobs, app.code()) == "wrong_code", "of another account"
    assert await second_step(browser, bobs_app.code()) == "wrong_code"
    for made_up in ("0" * 64, "", "x", "é"):
        liar = await world.client()
        answer = await liar.post(
            SECOND, json={"code": app.code()}, headers={"Cookie": f"second_factor={made_up}".encode()}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "no_pending_sign_in")
    assert await second_step(browser, app.code()) == "ok"


async def test_f6_after_ten_minutes_it_is_over(world: World) -> None:
    _, app, _ = await enrolled(world)
    await first_step(browser := await world.client())
    world.clock.advance(seconds=LIFETIME.total_seconds())
    assert await second_step(browser, app.code()) == "no_pending_sign_in"


async def change_password(world: World, browser: httpx.AsyncClient) -> None:
    body = {"currentPassword": PASSWORD, "password": "battery staple", "passwordConfirm": "battery staple"}
    assert (await browser.patch("/api/users/me/password", json=body)).status_code == 200


async def reset_password(world: World, browser: httpx.AsyncClient, email: str = ADA) -> None:
    await browser.post("/api/auth/forgotpassword", json={"email": email})
    await world.deliver()
    path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    body = {"password": "battery staple", "passwordConfirm": "battery staple"}
    assert (await browser.patch(path, json=body)).status_code == 200


async def disable(world: World, _: httpx.AsyncClient) -> None:
    account = await find_account(world.env, ADA)
    assert account is not None
    await disable_account(world.env, COMMAND_LINE, account)


async def disable_and_enable(world: World, browser: httpx.AsyncClient) -> None:
    await disable(world, browser)
    account = await find_account(world.env, ADA)
    assert account is not None
    assert await enable_account(world.env, COMMAND_LINE, account)


@pytest.mark.parametrize("change", [change_password, reset_password, disable, disable_and_enable])
async def test_f6_a_change_of_the_account_ends_what_waits(world: World, change: object) -> None:
    """F6: whoever had the old password has to begin anew."""
    mine, app, _ = await enrolled(world)
    verify = f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}"
    assert (await mine.get(verify)).status_code == 200
    await first_step(browser := await world.client())
    await prove(mine, app)
    assert callable(change)
    await change(world, mine)
    assert await second_step(browser, app.next_code()) == "no_pending_sign_in"
    assert (await dump.tables(world))["pending_sign_ins"] == []


async def test_f6_signing_out_everywhere_leaves_the_second_step_possible(world: World) -> None:
    """Its password is still right, and nobody has a session by it yet."""
    _, app, _ = await enrolled(world)
    await first_step(browser := await world.client())
    account = await find_account(world.env, ADA)
    assert account is not None
    await sign_out_everywhere(world.env, COMMAND_LINE, account)
    assert await second_step(browser, app.next_code()) == "ok"


async def test_f1_of_many_second_steps_with_one_code_one_wins(world: World) -> None:
    """F1: on as many handles as an account has."""
    _, app, _ = await enrolled(world)
    browsers = [await world.client() for _ in range(10)]
    for browser in browsers:
        await first_step(browser)
    code = app.next_code()
    answers = await asyncio.gather(*(second_step(browser, code) for browser in browsers))
    assert answers.count("ok") == 1
    assert set(answers) == {"ok", "code_used"}


async def test_f5_a_recovery_code_is_good_once_and_its_owner_is_told(world: World) -> None:
    """F5: in any case and with any hyphens; the letter says how many are left."""
    mine, _, codes = await enrolled(world)
    await mine.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    await first_step(browser := await world.client())
    assert await second_step(browser, codes[3].upper().replace("-", " ")) == "ok"
    await first_step(again := await world.client())
    assert await second_step(again, codes[3]) == "wrong_code"
    assert await second_step(again, codes[4]) == "ok"
    await world.deliver()
    told = [letter for letter in world.mailer.letters if letter.kind is LetterKind.RECOVERY_CODE_USED]
    assert [letter.detail["left"] for letter in told] == ["9", "8"]


async def test_a_session_that_the_browser_held_ends_when_the_second_step_is_taken(world: World) -> None:
    """As with a sign-in in one step (ASVS 7.2.4); not before."""
    mine, app, _ = await enrolled(world)
    held = mine.cookies["access_token"]
    await first_step(mine)
    assert (await mine.get("/api/users/me")).status_code == 200
    assert await second_step(mine, app.next_code()) == "ok"
    gone = await (await world.client()).get("/api/users/me", headers={"Authorization": f"Bearer {held}"})
    assert gone.json()["code"] == "session_signed_out"


async def test_f8_a_wrong_password_tells_nothing_of_factors(world: World) -> None:
    """F8: the same bytes and headers with and without, for a known and an unknown email."""
    await enrolled(world)
    await world.register(BOB)
    told = set()
    for email in (ADA, BOB, "nobody@example.com"):
        answer = await (await world.client()).post(LOGIN, json={"email": email, "password": "wrong horse"})
        headers = [pair for pair in answer.headers.multi_items() if pair[0] != "x-request-id"]
        told.add((answer.status_code, answer.content, str(headers)))
    assert len(told) == 1


async def test_f8_a_sign_in_without_factors_asks_one_statement_more_and_the_rest_none(world: World) -> None:
    """F8: `me`, refresh and the wrong password ask of no factor."""
    await world.register(BOB)
    browser = await world.sign_in(BOB)
    with statements() as asked:
        await world.sign_in(BOB)
    assert len([sql for sql in asked if "totps" in sql]) == 1
    assert [sql for sql in asked if "pending" in sql] == []
    with statements() as asked:
        await browser.get("/api/users/me")
        await browser.post("/api/auth/refresh")
        await browser.post(LOGIN, json={"email": BOB, "password": "wrong horse"})
    assert [sql for sql in asked if "totps" in sql or "recovery_codes" in sql or "pending" in sql] == []


async def test_without_the_app_the_password_is_enough_again(world: World) -> None:
    mine, app, _ = await enrolled(world)
    await prove(mine, app)
    assert (await mine.delete(TOTP)).status_code == 200
    await world.sign_in()
