"""Whoever loses an account to the owner of its email loses the factors too, and the reset of factors that was under
way; a reset of the password clears none.
"""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness import dump
from tests.harness.authenticator import Authenticator
from tests.harness.world import BASE, World
from tests.stories.factors.apps import ADA, enrol, enrolled, first_step, listed, prove, second_step
from tests.stories.factors.test_second_step import reset_password
from tests.stories.passkeys import store_passkey
from tests.unit.flows import DONE, ask_for_change, confirm, verify
from vestibule.flows.delete_account import delete_account
from vestibule.flows.find_people import find_account
from vestibule.flows.mark_verified import VerifiedOutcome, mark_verified
from vestibule.flows.take_over import take_over
from vestibule.flows.verify_email import verify_email
from vestibule.model.factor_resets import OPERATOR_WAIT, AskedBy, FactorReset
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE

BOB = "bob@example.com"
TABLES = ("totps", "recovery_codes", "passkeys", "pending_sign_ins", "factor_resets")


async def left(world: World) -> set[str]:
    """The tables of factors in which anything is left."""
    stored = await dump.tables(world)
    return {table for table in TABLES if stored[table]}


async def a_stranger_s(world: World) -> httpx.AsyncClient:
    """An unverified account at Ada's email, with an app and a passkey of whoever registered it."""
    browser, _, _ = await enrolled(world)
    await store_passkey(world, Authenticator(), ADA)
    for number in range(5):
        await first_step(client := await world.client())
        await second_step(client, f"{number}")
    await is_reset(world, ADA)
    assert await left(world) == set(TABLES)
    return browser


async def is_reset(world: World, email: str) -> None:
    """A reset of the account's factors is under way."""
    account, now = await find_account(world.env, email), world.clock.now()
    assert account is not None
    async with world.env.store.transaction() as tx:
        await tx.factor_resets.begin(FactorReset(account.id, now, now + OPERATOR_WAIT, AskedBy.OPERATOR))


async def takes_it_over(world: World) -> None:
    await take_over(world.env, world.secret(LetterKind.VERIFY_EMAIL))


async def registers_again_and_verifies(world: World) -> None:
    body = {"name": "Ada", "email": ADA, "password": "my own horse", "passwordConfirm": "my own horse"}
    world.clock.advance(hours=1)
    await (await world.client()).post("/api/auth/register", json=body)
    await world.deliver()
    await verify_email(world.env, world.secret(LetterKind.VERIFY_EMAIL))


async def resets_the_password(world: World) -> None:
    await reset_password(world, await world.client())
    await world.sign_in(password="battery staple")


async def verifies(world: World) -> None:
    """By the front-end's page, in a browser that is not signed in; the password is changed later."""
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    await resets_the_password(world)


async def verifies_on_our_page(world: World) -> None:
    browser = await world.client(origin=BASE)
    assert (await browser.post(f"/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")).status_code == 303
    await resets_the_password(world)


async def verifies_in_a_session_of_another(world: World) -> None:
    await world.register(BOB)
    code = next(each for each in world.mailer.letters if each.to == ADA).link.rpartition("/")[2]
    browser = await world.sign_in(BOB)
    assert (await browser.get(f"/api/auth/verifyemail/{code}")).status_code == 200
    await resets_the_password(world)


async def is_marked_verified(world: World) -> None:
    account = await find_account(world.env, ADA)
    assert account is not None
    assert await mark_verified(world.env, COMMAND_LINE, account) is VerifiedOutcome.VERIFIED
    await resets_the_password(world)


@pytest.mark.parametrize(
    "recover", [verifies, verifies_on_our_page, verifies_in_a_session_of_another, is_marked_verified]
)
async def test_f62_verifying_the_email_removes_the_factors_of_whoever_registered_it(
    world: World, recover: Callable[[World], Awaitable[None]]
) -> None:
    """F62: as at F9; the reset alone would leave them, because the email is verified by then."""
    await a_stranger_s(world)
    await recover(world)
    assert await left(world) == set()
    await world.deliver()
    told = [letter.detail["factor"] for letter in world.mailer.letters if letter.kind is LetterKind.FACTOR_REMOVED]
    assert sorted(told) == ["passkey", "totp"]


@pytest.mark.parametrize("page", ["/verifyemail", "/api/auth/verifyemail"])
@pytest.mark.parametrize("tokens", [("access_token",), ("refresh_token",), ("access_token", "refresh_token")])
async def test_f62_the_owner_s_own_stay(world: World, page: str, tokens: tuple[str, ...]) -> None:
    """F62: opened in a browser that is signed in to the account; also if its access token has expired."""
    browser, _, codes = await enrolled(world)
    opening = await world.client(origin=BASE)
    for name in tokens:
        opening.cookies[name] = browser.cookies[name]
    method = "GET" if page.startswith("/api") else "POST"
    code = world.secret(LetterKind.VERIFY_EMAIL)
    assert (await opening.request(method, f"{page}/{code}")).status_code in {200, 303}
    assert await left(world) == {"totps", "recovery_codes"}
    assert (await listed(browser))["recovery_codes_left"] == len(codes)


@pytest.mark.parametrize("recover", [takes_it_over, registers_again_and_verifies, resets_the_password])
async def test_f9_f44_the_owner_of_the_email_finds_no_factor_of_a_stranger(
    world: World, recover: Callable[[World], Awaitable[None]]
) -> None:
    """F9, F44: an account that was never verified belongs to whoever reads its mail; a wrong code of before counts for
    nothing.
    """
    await a_stranger_s(world)
    await recover(world)
    assert await left(world) == set()
    assert "second:" not in str((await dump.tables(world))["login_attempts"])


async def test_f9_a_reset_of_a_verified_account_clears_no_factor(world: World) -> None:
    """F9, M9: whoever reads the mail still needs the app."""
    mine, app, codes = await enrolled(world)
    await mine.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    await reset_password(world, browser := await world.client())
    await first_step(browser, password="battery staple")
    assert (await browser.get("/api/users/me")).status_code == 401
    assert await second_step(browser, app.next_code()) == "ok"
    assert len((await dump.tables(world))["recovery_codes"]) == len(codes)


async def test_f9_f44_an_undone_change_of_email_clears_what_was_added_since(world: World) -> None:
    """F9, F44: the thief's passkey goes, and no reset that the thief asked for goes on."""
    await world.register()
    browser = await world.sign_in()
    await browser.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    assert await ask_for_change(browser, "thief@example.com") == 200
    await world.deliver()
    thief = await world.client(origin=BASE)
    thief.cookies.update(browser.cookies)
    assert await confirm(thief, world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE
    await world.deliver()
    world.clock.advance(seconds=60)
    await store_passkey(world, Authenticator(), "thief@example.com")
    await is_reset(world, "thief@example.com")
    undo = world.secret(LetterKind.EMAIL_CHANGED)
    page = await (await world.client(origin=BASE)).post(f"/undoemail/{undo}")
    assert page.status_code in {200, 303}
    assert await left(world) == set()


async def test_f9_who_moves_to_an_email_that_was_never_verified_finds_no_factor_of_a_stranger(world: World) -> None:
    """F9: the stranger's account goes with its app, passkey and codes; the owner's own app stays, and is asked for."""
    stranger = await a_stranger_s(world)
    await world.register(BOB)
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    browser = await world.sign_in(BOB)
    app, codes = await enrol(world, browser)
    await prove(browser, app)
    assert await ask_for_change(browser, ADA) == 200
    await world.deliver()
    browser.headers["Origin"] = BASE
    assert await confirm(browser, world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE
    assert (await stranger.get("/api/users/me")).status_code == 401
    stored = await dump.tables(world)
    assert {table: len(stored[table]) for table in TABLES if stored[table]} == {
        "totps": 1,
        "recovery_codes": len(codes),
    }
    await first_step(again := await world.client())
    assert await second_step(again, app.next_code()) == "ok"


async def test_f9_with_the_account_everything_goes(world: World) -> None:
    """F9: a deleted account leaves no factor and no counter behind."""
    await a_stranger_s(world)
    account = await find_account(world.env, ADA)
    assert account is not None
    await delete_account(world.env, COMMAND_LINE, account)
    assert await left(world) == set()
    assert (await dump.tables(world))["login_attempts"] == []
