"""F46, F47: only the sign-in that waits sets up the factor, once, and only for an account that has none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from tests.harness import dump
from tests.harness.authenticator import Authenticator
from tests.harness.backends import Backend
from tests.harness.world import World
from tests.stories.attempts.test_login_attempts import stranger
from tests.stories.factors.apps import ADA, LOGIN, PASSWORD, App, first_step, second_step
from tests.stories.passkeys import ask
from tests.stories.required_factor import (
    CONFIRM,
    PASSKEY,
    PASSKEY_OPTIONS,
    TOKENS,
    TOTP,
    Browser,
    asked_to_enrol,
    code_of,
    enrolled,
    requiring,
    scan,
)
from vestibule.flows.administer import disable_account
from vestibule.flows.delete_account import delete_account
from vestibule.flows.end_trust import end_trust
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.pending_sign_ins import LIFETIME, OF_ACCOUNT
from vestibule.model.sessions import EndReason

BOB = "bob@example.com"
NEW = {"password": "battery staple", "passwordConfirm": "battery staple"}


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    async with requiring(backend) as world:
        yield world


async def confirm(browser: Browser, code: str) -> str:
    return str(code_of(await browser.post(CONFIRM, json={"code": code})))


async def every_step(browser: Browser, code: str = "000000") -> set[str]:
    """The codes with which every step of an enrolment is refused."""
    answers = [
        await browser.post(TOTP),
        await browser.post(CONFIRM, json={"code": code}),
        await browser.post(PASSKEY_OPTIONS),
        await browser.post(PASSKEY, json={"credential": {"id": "x"}}),
    ]
    return {str(code_of(answer)) for answer in answers}


async def test_f46_every_step_needs_the_cookie_of_the_sign_in(world: World) -> None:
    """F46: neither no cookie, nor a made-up one, nor a token of somebody who is signed in."""
    await world.register(BOB)
    bob, _, _ = await enrolled(world, BOB)
    liar = await world.client()
    liar.cookies["second_factor"] = "0" * 64
    for browser in (await world.client(), liar, bob):
        assert await every_step(browser) == {"no_pending_sign_in"}


async def test_f46_an_app_is_confirmed_by_the_sign_in_that_began_it(world: World) -> None:
    """F46: another sign-in of the same account does not see its secret, and cannot confirm it."""
    browser, other = await asked_to_enrol(world), await asked_to_enrol(world)
    app = await scan(world, browser)
    assert await confirm(other, app.code()) == "factor_unknown"
    assert await confirm(browser, app.code()) == "ok"


@pytest.mark.any_engine
async def test_f46_no_other_sign_in_voids_an_app_that_was_begun(world: World) -> None:
    """F46: however many somebody begins who has the password too; an account has no more apps than sign-ins wait."""
    owner = await asked_to_enrol(world)
    app = await scan(world, owner)
    for _ in range(2 * OF_ACCOUNT):
        async with await stranger(world, "198.51.100.9") as thief:
            await thief.post(LOGIN, json={"email": ADA, "password": PASSWORD})
            await scan(world, thief)
            await scan(world, thief)
    assert len((await dump.tables(world))["totps"]) <= OF_ACCOUNT + 1
    assert await confirm(owner, app.code()) == "ok"
    assert len((await dump.tables(world))["totps"]) == 1


async def test_f46_an_app_goes_with_the_next_one_and_with_its_time(world: World) -> None:
    """F46: what a sign-in begins replaces what it began, and what was begun too long ago."""
    owner = await asked_to_enrol(world)
    first, second = await scan(world, owner), await scan(world, owner)
    assert await confirm(owner, first.code()) == "wrong_code"
    assert await confirm(owner, second.code()) == "ok"
    await world.register(BOB)
    for _ in range(3):
        await scan(world, await asked_to_enrol(world, BOB))
    world.clock.advance(minutes=16)
    await scan(world, await asked_to_enrol(world, BOB))
    assert len((await dump.tables(world))["totps"]) == 2


async def test_f46_a_question_belongs_to_the_sign_in_that_asked(world: World) -> None:
    browser, other, key = await asked_to_enrol(world), await asked_to_enrol(world), Authenticator()
    credential = key.create(await ask(other, PASSKEY_OPTIONS))
    browser.cookies["ceremony"] = other.cookies["ceremony"]
    assert code_of(await browser.post(PASSKEY, json={"credential": credential})) == "ceremony_over"


async def test_f46_after_ten_minutes_it_is_over(world: World) -> None:
    browser = await asked_to_enrol(world)
    app = await scan(world, browser)
    world.clock.advance(seconds=LIFETIME.total_seconds())
    assert await every_step(browser, app.code()) == {"no_pending_sign_in"}


async def test_f46_it_is_used_up_by_the_sign_in(world: World) -> None:
    browser = await asked_to_enrol(world)
    handle, app = browser.cookies["second_factor"], await scan(world, browser)
    assert await confirm(browser, app.code()) == "ok"
    again = await world.client()
    again.cookies["second_factor"] = handle
    assert await every_step(again, app.next_code()) == {"no_pending_sign_in"}


async def reset_password(world: World, _: Account) -> None:
    browser = await world.client()
    await browser.post("/api/auth/forgotpassword", json={"email": ADA})
    await world.deliver()
    path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    assert (await browser.patch(path, json=NEW)).status_code == 200


async def disable(world: World, account: Account) -> None:
    await disable_account(world.env, COMMAND_LINE, account)


async def delete(world: World, account: Account) -> None:
    await delete_account(world.env, COMMAND_LINE, account)


async def end_all_trust(world: World, account: Account) -> None:
    async with world.env.store.transaction() as tx:
        await tx.accounts.lock(account.id)
        await end_trust(world.env, tx, account.id, EndReason.EMAIL_CHANGED, world.clock.now())


CHANGES = [reset_password, disable, delete, end_all_trust]
Change = Callable[[World, Account], Awaitable[None]]


async def ada(world: World) -> Account:
    account = await find_account(world.env, ADA)
    assert account is not None
    return account


@pytest.mark.parametrize("change", CHANGES)
async def test_f46_a_change_of_the_account_ends_it(world: World, change: Change) -> None:
    browser = await asked_to_enrol(world)
    app = await scan(world, browser)
    await change(world, await ada(world))
    assert await every_step(browser, app.code()) == {"no_pending_sign_in"}


@pytest.mark.parametrize("change", CHANGES)
async def test_f46_a_confirmation_beside_a_change_is_before_or_after_it(world: World, change: Change) -> None:
    """F46: the session that it begins is ended by the change, or none begins; and no half of it is left."""
    browser = await asked_to_enrol(world)
    app, account = await scan(world, browser), await ada(world)
    outcome, _ = await asyncio.gather(confirm(browser, app.code()), change(world, account))
    # Whoever deletes the account between the two reads of a confirmation leaves a pending sign-in without its app.
    assert outcome in {"ok", "no_pending_sign_in", "factor_unknown"}
    assert (await browser.get("/api/users/me")).status_code == 401
    tables = await dump.tables(world)
    assert tables["pending_sign_ins"] == []
    assert (outcome == "ok") or not tables["recovery_codes"]


async def test_f46_of_many_confirmations_one_wins(world: World) -> None:
    """F46: the same request ten times at once: one session, one set of recovery codes."""
    browser = await asked_to_enrol(world)
    app, cookies = await scan(world, browser), dict(browser.cookies)
    browsers = [await world.client() for _ in range(10)]
    for each in browsers:
        each.cookies.update(cookies)
    outcomes = await asyncio.gather(*(confirm(each, app.code()) for each in browsers))
    assert outcomes.count("ok") == 1
    assert set(outcomes) <= {"ok", "no_pending_sign_in", "second_factor_required"}
    tables = await dump.tables(world)
    assert (len(tables["sessions"]), len(tables["totps"]), len(tables["recovery_codes"])) == (1, 1, 10)


async def _with_an_app(world: World) -> tuple[Browser, Callable[[], Awaitable[httpx.Response]]]:
    browser = await asked_to_enrol(world)
    app = await scan(world, browser)
    return browser, lambda: browser.post(CONFIRM, json={"code": app.code()})


async def _with_a_passkey(world: World) -> tuple[Browser, Callable[[], Awaitable[httpx.Response]]]:
    browser = await asked_to_enrol(world)
    credential = Authenticator().create(await ask(browser, PASSKEY_OPTIONS))
    return browser, lambda: browser.post(PASSKEY, json={"credential": credential})


async def test_f47_of_two_browsers_with_the_password_one_sets_up_a_factor(world: World) -> None:
    """F47: the owner's app and a thief's passkey at once: the second one finds an account that has a factor."""
    for _ in range(3):  # each leaves two sign-ins that wait, and an account has ten at most
        ways = [await _with_an_app(world), await _with_a_passkey(world), await _with_a_passkey(world)]
        answers = await asyncio.gather(*(send() for _, send in ways))
        assert sorted(map(code_of, answers)) == ["ok", "second_factor_required", "second_factor_required"]
        assert [bool(TOKENS & set(browser.cookies)) for browser, _ in ways].count(True) == 1
        async with world.env.store.transaction() as tx:
            account = await tx.accounts.lock_at(ADA)
            assert account is not None
            await tx.factors.clear(account.id)


async def test_f47_for_an_account_with_a_factor_the_password_adds_none(world: World) -> None:
    """F47: every step is refused, whether the sign-in began before or after the factor; it still asks for that one."""
    before = await asked_to_enrol(world)
    _, app, _ = await enrolled(world)
    after = await world.client()
    assert code_of(await after.post(LOGIN, json={"email": ADA, "password": PASSWORD})) == "second_factor_required"
    for browser in (before, after):
        assert await every_step(browser, app.next_code()) == {"second_factor_required"}
        assert not TOKENS & set(browser.cookies)
        assert await second_step(browser, app.code()) == "ok"


async def test_f47_an_app_that_was_begun_before_is_not_confirmed_after(world: World) -> None:
    """F47: a thief who has scanned a code of his own is too late."""
    thief = await asked_to_enrol(world)
    theirs: App = await scan(world, thief)
    await enrolled(world)
    assert await confirm(thief, theirs.code()) == "second_factor_required"


@pytest.mark.any_engine
async def test_f47_wrong_codes_from_before_the_factor_pause_nobody(world: World) -> None:
    """F47: a thief with the password cannot spend the attempts of an app that is not there yet."""
    thief = await asked_to_enrol(world)
    answers = [await second_step(thief, code) for code in ("000000", "0-abcde-fghjk") for _ in range(20)]
    assert set(answers) == {"wrong_code", "second_factor_paused"}
    _, app, codes = await enrolled(world)
    for code in (app.next_code(), codes[0]):
        await first_step(browser := await world.client())
        assert await second_step(browser, code) == "ok"
