"""G20: a password of fewer characters than the contract wants, which an imported account may have, signs in by API and
page; a wrong one is answered as the contract says, and is counted as every other one.
"""

import pytest

from tests.harness.world import World
from tests.stories.attempts.test_login_attempts import stranger
from vestibule.flows.find_people import find_account
from vestibule.model.events import EventKind
from vestibule.model.login_attempts import AttemptCounter

ADA, SHORT = "ada@example.com", "secret1"
LOGIN = "/api/auth/login"


async def imported(world: World) -> None:
    """An account whose hash is of a short password."""
    await world.register(ADA)
    account = await find_account(world.env, ADA)
    assert account is not None
    assert account.password_hash is not None
    async with world.env.store.transaction() as tx:
        await tx.accounts.replace_hash(account.id, account.password_hash, await world.env.passwords.hash(SHORT))


async def test_g20_a_short_password_signs_in(world: World) -> None:
    await imported(world)
    browser = await stranger(world, "203.0.113.7")
    assert (await browser.post(LOGIN, json={"email": ADA, "password": SHORT})).status_code == 200
    page = await stranger(world, "203.0.113.8")
    assert (await page.post("/login", data={"email": ADA, "password": SHORT})).status_code == 303


@pytest.mark.parametrize("email", [ADA, "nobody@example.com"])
async def test_g20_a_wrong_one_is_the_contract_s_error_and_is_counted(world: World, email: str) -> None:
    await imported(world)
    browser = await stranger(world, "203.0.113.7")
    answer = await browser.post(LOGIN, json={"email": email, "password": "secret2"})
    assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid")
    assert [error["message"] for error in answer.json()["errors"]] == ["Invalid email or password"]
    async with world.env.store.reading() as read:
        count = await read.login_attempts.count(AttemptCounter.of_others(None, email))
    assert count is not None
    assert count.failures == 1


async def test_g20_an_operator_sees_that_it_was_refused(world: World) -> None:
    await imported(world)
    browser = await stranger(world, "203.0.113.7")
    await browser.post(LOGIN, json={"email": ADA, "password": "secret2"})
    account = await find_account(world.env, ADA)
    assert account is not None
    async with world.env.store.reading() as read:
        kinds = [event.kind for event in await read.events.of_account(account.id, 5)]
    assert EventKind.SIGN_IN_REFUSED in kinds


async def test_g20_an_empty_password_is_not_tried(world: World) -> None:
    await imported(world)
    browser = await stranger(world, "203.0.113.7")
    assert (await browser.post(LOGIN, json={"email": ADA, "password": ""})).status_code == 400
    async with world.env.store.reading() as read:
        assert await read.login_attempts.count(AttemptCounter.of_others(None, ADA)) is None
