"""F45: without a second factor there is no token, by any way, and with one there is, of level 2."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.harness import dump
from tests.harness.authenticator import Authenticator
from tests.harness.backends import Backend
from tests.harness.statements import statements
from tests.harness.world import World
from tests.stories import passkeys
from tests.stories.factors.apps import ADA, LOGIN, PASSWORD, second_step
from tests.stories.passkeys import ask
from tests.stories.required_factor import (
    CONFIRM,
    PASSKEY,
    PASSKEY_OPTIONS,
    TOKENS,
    Browser,
    asked_to_enrol,
    code_of,
    enrolled,
    requiring,
    scan,
    switch,
)
from vestibule.flows.create_account import create_account
from vestibule.flows.identify import read_token
from vestibule.model.accounts import Role
from vestibule.model.factors import SecondFactorRule
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.pending_sign_ins import LIFETIME
from vestibule.model.permissions import OF_ROLE

BODY = {"currentPassword": PASSWORD, "password": "battery staple", "passwordConfirm": "battery staple"}


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    async with requiring(backend) as world:
        yield world


async def test_f45_the_right_password_alone_gives_no_token_and_says_what_to_do(world: World) -> None:
    """F45: a status that no front-end takes for a sign-in, a sentence it can show, and one cookie."""
    browser = await world.client()
    answer = await browser.post(LOGIN, json={"email": ADA, "password": PASSWORD})
    assert (answer.status_code, answer.json()) == (
        403,
        {
            "status": "fail",
            "code": "second_factor_enrolment_required",
            "message": "Your account needs a second factor; sign in at http://localhost:8000/login to set one up",
            "factors": ["totp", "passkey"],
        },
    )
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("second_factor=")
    assert "; HttpOnly" in cookie
    assert f"; Max-Age={LIFETIME.total_seconds():.0f};" in cookie
    assert not TOKENS & set(browser.cookies)
    assert (await browser.get("/api/users/me")).status_code == 401
    assert (await dump.tables(world))["sessions"] == []


async def test_f45_an_app_that_is_set_up_completes_the_sign_in(world: World) -> None:
    """F45: level 2, ten recovery codes, a letter to the owner; and from then on its code is asked for."""
    browser, app, codes = await enrolled(world)
    assert len(set(codes)) == 10
    assert (await browser.get("/api/users/me")).status_code == 200
    token = await read_token(world.env, browser.cookies["access_token"])
    assert (token.level, token.methods) == (2, ("pwd", "otp", "mfa"))
    assert "second_factor" not in browser.cookies
    assert (await dump.tables(world))["pending_sign_ins"] == []
    assert (await browser.post("/api/auth/refresh")).status_code == 200
    again = await world.client()
    assert code_of(await again.post(LOGIN, json={"email": ADA, "password": PASSWORD})) == "second_factor_required"
    assert await second_step(again, app.next_code()) == "ok"
    third = await world.client()
    await third.post(LOGIN, json={"email": ADA, "password": PASSWORD})
    assert await second_step(third, codes[0]) == "ok"


async def test_f45_the_owner_is_told_of_the_new_factor(world: World) -> None:
    verify = f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}"
    assert (await (await world.client()).get(verify)).status_code == 200
    await enrolled(world)
    await world.deliver()
    assert world.mailer.letters[-1].kind is LetterKind.FACTOR_ADDED


@pytest.mark.any_engine
async def test_f45_a_passkey_that_is_set_up_completes_the_sign_in(world: World) -> None:
    """F45: and alone it signs in next time, because its user was verified."""
    browser, key = await asked_to_enrol(world), Authenticator()
    credential = key.create(await ask(browser, PASSKEY_OPTIONS))
    answer = await browser.post(PASSKEY, json={"credential": credential, "name": "My key"})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["recovery_codes"]) == 10
    token = await read_token(world.env, answer.json()["access_token"])
    assert (token.level, token.methods) == (3, ("pwd", "hwk", "user", "mfa"))
    assert not {"second_factor", "ceremony"} & set(browser.cookies)
    assert (await browser.get("/api/users/me")).status_code == 200
    other = await world.client()
    answer = await other.post(passkeys.VERIFY, json={"credential": key.get(await ask(other))})
    assert answer.status_code == 200, answer.text


async def _register(world: World, browser: Browser) -> None:
    body = {"name": "Bob", "email": "bob@example.com", "password": PASSWORD, "passwordConfirm": PASSWORD}
    assert (await browser.post("/api/auth/register", json=body)).status_code == 201


async def _sign_up_on_the_page(world: World, browser: Browser) -> None:
    browser.headers.pop("Origin")
    form = {"name": "Bob", "email": "bob@example.com", "password": PASSWORD}
    answer = await browser.post("/register", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login/enrol")
    assert (await browser.post("/register", data=form)).headers["location"] == "/login/enrol", "a double click"


async def _sign_in_on_the_page(world: World, browser: Browser) -> None:
    browser.headers.pop("Origin")
    answer = await browser.post("/login", data={"email": ADA, "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login/enrol")


async def _reset_the_password(world: World, browser: Browser) -> None:
    await browser.post("/api/auth/forgotpassword", json={"email": ADA})
    await world.deliver()
    path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    assert (await browser.patch(path, json=BODY)).status_code == 200


async def _verify_the_email(world: World, browser: Browser) -> None:
    verify = f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}"
    assert (await browser.get(verify)).status_code == 200


async def _type_a_code_without_a_factor(world: World, browser: Browser) -> None:
    await browser.post(LOGIN, json={"email": ADA, "password": PASSWORD})
    for code in ("000000", "0-abcde-fghjk"):
        assert await second_step(browser, code) == "wrong_code"


async def _confirm_an_app_that_nobody_began(world: World, browser: Browser) -> None:
    await browser.post(LOGIN, json={"email": ADA, "password": PASSWORD})
    assert code_of(await browser.post(CONFIRM, json={"code": "000000"})) == "factor_unknown"


async def _confirm_with_a_wrong_code(world: World, browser: Browser) -> None:
    await browser.post(LOGIN, json={"email": ADA, "password": PASSWORD})
    app = await scan(world, browser)
    assert code_of(await browser.post(CONFIRM, json={"code": app.code(steps=9)})) == "code_of_another_time"


async def _answer_with_no_passkey(world: World, browser: Browser) -> None:
    await browser.post(LOGIN, json={"email": ADA, "password": PASSWORD})
    await ask(browser, PASSKEY_OPTIONS)
    assert code_of(await browser.post(PASSKEY, json={"credential": {"id": "x"}})) == "passkey_refused"


WAYS = [
    _register,
    _sign_up_on_the_page,
    _sign_in_on_the_page,
    _reset_the_password,
    _verify_the_email,
    _type_a_code_without_a_factor,
    _confirm_an_app_that_nobody_began,
    _confirm_with_a_wrong_code,
    _answer_with_no_passkey,
]


@pytest.mark.parametrize("way", WAYS)
async def test_f45_no_other_way_gives_one(world: World, way: Callable[[World, Browser], Awaitable[None]]) -> None:
    """F45: neither a token nor a session, whatever is tried."""
    browser = await world.client()
    await way(world, browser)
    assert not any(browser.cookies.get(name) for name in TOKENS)
    assert (await dump.tables(world))["sessions"] == []


async def _refresh(browser: Browser) -> str:
    return str(code_of(await browser.post("/api/auth/refresh")))


async def _step_up(browser: Browser) -> str:
    return str(code_of(await browser.post("/api/users/me/step-up", json={"password": PASSWORD})))


async def _change_password(browser: Browser) -> str:
    return str(code_of(await browser.patch("/api/users/me/password", json=BODY)))


@pytest.mark.parametrize(
    ("way", "refusal"),
    [
        (_refresh, "session_second_factor_required"),
        (_step_up, "second_factor_enrolment_required"),
        (_change_password, "second_factor_enrolment_required"),
    ],
)
async def test_f45_a_session_from_before_gets_no_more_tokens(
    world: World, way: Callable[[Browser], Awaitable[str]], refusal: str
) -> None:
    """F45: every way that gives a token to somebody who is signed in, after the rule was switched on."""
    switch(world, SecondFactorRule.OFFERED)
    browser = await world.sign_in()
    switch(world, SecondFactorRule.REQUIRED)
    before = browser.cookies["access_token"]
    assert await way(browser) == refusal
    assert browser.cookies["access_token"] == before
    await asked_to_enrol(world)


@pytest.mark.any_engine
@pytest.mark.parametrize("role", [role for role in Role if OF_ROLE[role]])
async def test_f45_the_rule_for_admins_is_for_everybody_with_a_permission(backend: Backend, role: Role) -> None:
    """F45: whoever has the role, from the first sign-in on; the others as ever."""
    async with requiring(backend, SecondFactorRule.REQUIRED_FOR_ADMINS) as world:
        assert (await (await world.sign_in()).get("/api/users/me")).status_code == 200
        account, password = await create_account(world.env, COMMAND_LINE, "Root", "root@example.com", role)
        browser, _, _ = await enrolled(world, account.email, password)
        assert (await read_token(world.env, browser.cookies["access_token"])).role == role.value


async def test_f45_it_costs_no_statement_where_it_is_offered(world: World) -> None:
    """F45: a sign-in and a refresh ask the database as often as under the rule, and the rule asks nothing."""
    browser, _, _ = await enrolled(world)
    with statements() as under_the_rule:
        await browser.post("/api/auth/refresh")
    switch(world, SecondFactorRule.OFFERED)
    with statements() as offered:
        await browser.post("/api/auth/refresh")
    assert len(offered) == len(under_the_rule)
    assert [sql for sql in [*offered, *under_the_rule] if "totps" in sql or "passkeys" in sql] == []
