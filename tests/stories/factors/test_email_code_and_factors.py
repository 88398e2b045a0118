"""An emailed code is one factor, the one that a reset by mail proves too: neither stands for the second."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import product

import httpx
import pytest

from tests.harness import dump
from tests.harness.authenticator import HONEST, UV, Authenticator, Lie
from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.factors.apps import ADA, LOGIN, PASSWORD, App, enrol, first_step, second_step
from tests.stories.factors.codes import VERIFY, ask, asked, mailed_codes, typed, verified
from tests.stories.factors.test_second_step import reset_password
from tests.stories.passkeys import add
from tests.stories.passkeys import ask as question
from tests.stories.required_factor import PASSKEY, PASSKEY_OPTIONS
from vestibule.model.factors import SecondFactorRule
from vestibule.protocol.authentication import level_reached

HERS = ("access_token", "refresh_token", "logged_in")


async def with_an_app(world: World) -> App:
    """Ada, verified, with an authenticator app."""
    await verified(world)
    app, _ = await enrol(world, await world.sign_in())
    return app


async def methods_of_sessions(world: World) -> list[str]:
    rows = (await dump.tables(world))["sessions"]
    return [value for row in rows for value in row if isinstance(value, str) and value.split(" ")[0] in {"pwd", "otp"}]


async def test_f51_the_second_step_follows_as_after_a_password(world: World) -> None:
    """F51: the code gives no token, and is spent by it; with the app's code the sign-in is complete, at level 2."""
    app = await with_an_app(world)
    browser = await world.client()
    code = await asked(world, browser)
    kept = browser.cookies["email_code"]
    answer = await browser.post(VERIFY, json={"code": code})
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    assert answer.json()["factors"] == ["totp", "recovery_code"]
    assert not set(HERS) & set(browser.cookies)
    again = await world.client()
    again.cookies.set("email_code", kept)
    assert await typed(again, code) == "email_code_used"
    assert await second_step(browser, app.next_code()) == "ok"
    methods = await methods_of_sessions(world)
    assert methods.count("otp mfa") == 1, methods
    assert level_reached(["otp", "mfa"]) == 2


SECOND, OPTIONS = f"{LOGIN}/second-factor", f"{LOGIN}/second-factor/options"


@pytest.mark.parametrize(("lie", "status"), [(Lie(off=UV), 400), (HONEST, 200)], ids=["touched", "verified"])
async def test_f51_a_touch_is_no_second_factor_beside_a_code(world: World, lie: Lie, status: int) -> None:
    """F51: a mailbox and a key, and nothing that their owner knows; it is asked for, and beside a password not."""
    await verified(world)
    key = Authenticator()
    assert (await add(await world.sign_in(), key)).status_code == 201
    browser = await world.client()
    assert await typed(browser, await asked(world, browser)) == "second_factor_required"
    options = await question(browser, OPTIONS)
    assert options["userVerification"] == "required"
    assert (await browser.post(SECOND, json={"credential": key.get(options, lie)})).status_code == status
    by_password = await world.client()
    await first_step(by_password)
    options = await question(by_password, OPTIONS)
    assert options["userVerification"] == "preferred"
    assert (await by_password.post(SECOND, json={"credential": key.get(options, lie)})).status_code == 200


@pytest.mark.parametrize(("lie", "status"), [(Lie(off=UV), 400), (HONEST, 200)], ids=["touched", "verified"])
async def test_f51_nor_one_that_is_set_up_after_it(backend: Backend, lie: Lie, status: int) -> None:
    """F51: where a factor is required."""
    async with world_on(backend, replace(POLICY, second_factor=SecondFactorRule.REQUIRED)) as world:
        await verified(world)
        browser, other = await world.client(), await world.client()
        assert await typed(browser, await asked(world, browser)) == "second_factor_enrolment_required"
        await other.post(LOGIN, json={"email": ADA, "password": PASSWORD})
        for client, wanted, expected in ((browser, "required", status), (other, "preferred", 200)):
            options = await question(client, PASSKEY_OPTIONS)
            assert options["authenticatorSelection"]["userVerification"] == wanted
            made = Authenticator().create(options, lie)
            assert (await client.post(PASSKEY, json={"credential": made})).status_code == expected
            if expected == 200:
                break


async def test_f51_no_mail_is_a_second_step(world: World) -> None:
    """F51: neither the code itself, nor another one."""
    await with_an_app(world)
    browser = await world.client()
    code = await asked(world, browser)
    assert await typed(browser, code) == "second_factor_required"
    assert await second_step(browser, code) == "wrong_code"
    handle = browser.cookies["second_factor"]
    await ask(world, browser)
    newest = mailed_codes(world)[-1]
    assert newest != code
    assert await second_step(browser, newest) == "wrong_code"
    assert await typed(browser, newest) == "second_factor_required"
    assert browser.cookies["second_factor"] != handle
    assert not set(HERS) & set(browser.cookies)


async def _by_code(world: World, browser: httpx.AsyncClient) -> str:
    return await typed(browser, await asked(world, browser))


async def _by_reset(world: World, browser: httpx.AsyncClient) -> str:
    await reset_password(world, browser)
    answer = await browser.post(LOGIN, json={"email": ADA, "password": "battery staple"})
    return str(answer.json().get("code", "ok"))


WAYS = {"code": _by_code, "reset": _by_reset}


@pytest.mark.parametrize("order", list(product(WAYS, repeat=3)))
@pytest.mark.any_engine
async def test_f51_who_reads_the_mail_alone_is_never_signed_in(world: World, order: tuple[str, ...]) -> None:
    """F51: whatever is asked for by mail in whatever order, the app is asked for."""
    await with_an_app(world)
    before = await methods_of_sessions(world)
    browser = await world.client()
    for way in order:
        act: Callable[[World, httpx.AsyncClient], Awaitable[str]] = WAYS[way]
        assert await act(world, browser) == "second_factor_required"
    assert not set(HERS) & set(browser.cookies)
    assert len(await methods_of_sessions(world)) == len(before)


async def test_f51_without_a_factor_mail_is_level_one_however_often(world: World) -> None:
    """F51: a code, then a reset by mail, then a step-up by the new password: one factor."""
    await verified(world)
    browser = await world.client()
    await reset_password(world, browser)
    assert await _by_code(world, browser) == "ok"
    answer = await browser.post("/api/users/me/step-up", json={"password": "battery staple"})
    assert answer.status_code == 200, answer.text
    for methods in await methods_of_sessions(world):
        assert level_reached(methods.split()) == 1


async def test_f51_where_a_factor_is_required_it_is_set_up_first(backend: Backend) -> None:
    """F51: as after a password; the code is spent by it."""
    async with world_on(backend, replace(POLICY, second_factor=SecondFactorRule.REQUIRED)) as world:
        await verified(world)
        browser = await world.client()
        code = await asked(world, browser)
        kept = browser.cookies["email_code"]
        assert await typed(browser, code) == "second_factor_enrolment_required"
        assert not set(HERS) & set(browser.cookies)
        again = await world.client()
        again.cookies.set("email_code", kept)
        assert await typed(again, code) == "email_code_used"
        assert (await browser.post("/api/auth/login/enrol/totp")).status_code == 200
