"""A stranger registers somebody's email where a second factor is required and verification is optional, and sets one up
at the sign-in. The owner of the email gets the account without it, sets up a factor of their own, and is in.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.backends import Backend
from tests.harness.world import BASE, World
from tests.stories import passkeys
from tests.stories.factors.apps import ADA, LOGIN
from tests.stories.factors.test_cleared import left
from tests.stories.passkeys import ask
from tests.stories.required_factor import (
    PASSKEY,
    PASSKEY_OPTIONS,
    Browser,
    asked_to_enrol,
    code_of,
    enrolled,
    requiring,
)
from tests.unit.flows import NEW_PASSWORD, ask_for_reset, reset, twice, verify
from vestibule.flows.find_people import find_account
from vestibule.flows.mark_verified import VerifiedOutcome, mark_verified
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE

VERIFY = LetterKind.VERIFY_EMAIL


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    async with requiring(backend) as world:
        yield world


async def sets_up_an_app(world: World) -> Browser:
    browser, _, _ = await enrolled(world)
    return browser


async def sets_up_a_passkey(world: World) -> Browser:
    browser = await asked_to_enrol(world)
    made = Authenticator().create(await ask(browser, PASSKEY_OPTIONS))
    assert (await browser.post(PASSKEY, json={"credential": made})).status_code == 200
    return browser


async def chooses_a_password(world: World) -> str:
    """By "forgot password"; the new one."""
    assert (await ask_for_reset(world)).status_code == 200
    await world.deliver()
    assert await reset(world, world.secret(LetterKind.RESET_PASSWORD)) == 200
    return NEW_PASSWORD


async def resets_the_password(world: World) -> str:
    return await chooses_a_password(world)


async def verifies_and_resets_later(world: World) -> str:
    """In a browser that is not signed in; the reset of an account that is verified by then clears nothing."""
    assert await verify(world, world.secret(VERIFY)) == 200
    return await chooses_a_password(world)


async def is_marked_verified_and_resets_later(world: World) -> str:
    account = await find_account(world.env, ADA)
    assert account is not None
    assert await mark_verified(world.env, COMMAND_LINE, account) is VerifiedOutcome.VERIFIED
    return await chooses_a_password(world)


async def says_that_it_was_somebody_else(world: World) -> str:
    """By the page behind the link that verifies."""
    owner = await world.client(origin=BASE)
    answer = await owner.post(f"/verifyemail/{world.secret(VERIFY)}/mine")
    assert answer.status_code == 303, answer.text
    secret = answer.headers["location"].rpartition("/")[2]
    assert await reset(world, secret) == 200
    return NEW_PASSWORD


async def registers_again_and_verifies(world: World) -> str:
    """The account is in use, so the answer is 409; but the password is in doubt, and the link removes it."""
    world.clock.advance(hours=1)
    body = {"name": "Ada", "email": ADA, **twice("my own horse")}
    assert (await (await world.client()).post("/api/auth/register", json=body)).status_code == 409
    await world.deliver()
    assert await verify(world, world.secret(VERIFY)) == 200
    await world.deliver()
    assert await reset(world, world.secret(LetterKind.RESET_PASSWORD)) == 200
    return NEW_PASSWORD


SETS_UP = (sets_up_an_app, sets_up_a_passkey)
RECOVERS = (
    resets_the_password,
    verifies_and_resets_later,
    is_marked_verified_and_resets_later,
    says_that_it_was_somebody_else,
    registers_again_and_verifies,
)


@pytest.mark.any_engine
@pytest.mark.parametrize("recover", RECOVERS)
@pytest.mark.parametrize("set_up", SETS_UP)
async def test_f70_the_owner_of_the_email_sets_up_a_factor_of_their_own_and_is_in(
    world: World, set_up: Callable[[World], Awaitable[Browser]], recover: Callable[[World], Awaitable[str]]
) -> None:
    """F70: by any way; asked for a new factor, not for the stranger's, who is out."""
    stranger = await set_up(world)
    assert (await stranger.get("/api/users/me")).status_code == 200
    password = await recover(world)
    assert await left(world) == set()
    assert (await stranger.get("/api/users/me")).status_code == 401
    assert (await stranger.post("/api/auth/refresh")).status_code == 403
    owner, app, _ = await enrolled(world, ADA, password)
    assert (await owner.get("/api/users/me")).status_code == 200
    again = await world.client()
    refused = await again.post(LOGIN, json={"email": ADA, "password": password})
    assert code_of(refused) == "second_factor_required"
    answer = await again.post(f"{LOGIN}/second-factor", json={"code": app.next_code()})
    assert code_of(answer) == "ok"


@pytest.mark.parametrize("set_up", SETS_UP)
async def test_f70_who_verifies_on_another_device_sets_up_a_factor_again_and_is_in(
    world: World, set_up: Callable[[World], Awaitable[Browser]]
) -> None:
    """F70: one round, no circle: the session says why it ends, and the next sign-in asks for a new factor."""
    first = await set_up(world)
    assert await verify(world, world.secret(VERIFY)) == 200
    assert code_of(await first.post("/api/auth/refresh")) == "session_second_factor_required"
    second, _, _ = await enrolled(world)
    assert (await second.post("/api/auth/refresh")).status_code == 200


@pytest.mark.parametrize("set_up", SETS_UP)
async def test_f70_who_verifies_where_the_factor_was_set_up_keeps_it(
    world: World, set_up: Callable[[World], Awaitable[Browser]]
) -> None:
    """F70: the session goes on at its level."""
    browser = await set_up(world)
    kept = await left(world)
    assert kept
    assert (await browser.get(f"/api/auth/verifyemail/{world.secret(VERIFY)}")).status_code == 200
    assert await left(world) == kept
    assert (await browser.post("/api/auth/refresh")).status_code == 200


async def test_f70_a_passkey_of_the_stranger_signs_in_no_more(world: World) -> None:
    """F70: alone it was enough, because its user was verified."""
    browser, key = await asked_to_enrol(world), Authenticator()
    made = key.create(await ask(browser, PASSKEY_OPTIONS))
    assert (await browser.post(PASSKEY, json={"credential": made})).status_code == 200
    assert (await passkeys.sign_in(await world.client(), key)).status_code == 200
    await chooses_a_password(world)
    refused = await passkeys.sign_in(await world.client(), key)
    assert (refused.status_code, code_of(refused)) == (404, "passkey_unknown")
