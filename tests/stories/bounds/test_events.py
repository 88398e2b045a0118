"""What anybody can make happen to an account: how much of it is written, how often its owner is told, how it goes."""

from dataclasses import replace

import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.bounds import count, fill
from tests.unit.flows import verify
from vestibule.flows.delete_account import delete_account
from vestibule.flows.find_people import find_account
from vestibule.model.letters import LetterKind
from vestibule.model.login_attempts import LoginAttemptLimits
from vestibule.model.operators import COMMAND_LINE
from vestibule.storage.sql.events import SqlEvents
from vestibule.storage.sql.schema import events

ADA, NOBODY, RIGHT = "ada@example.com", "nobody@example.com", "correct horse"
FEW = replace(POLICY, login_attempts=LoginAttemptLimits(at_most=5, free=5))
REFUSED = events.c.kind == "sign_in_refused"
MANY = 10_000


async def test_n7_an_account_with_a_long_history_goes_a_batch_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register()
    account = await find_account(world.env, ADA)
    assert account is not None
    row = {"at": world.clock.now(), "kind": "sign_in_refused", "account_id": account.id, "network_address": "10.0.0.1"}
    await fill(world, events, MANY, row | {"detail": "{}"})
    batches: list[int] = []
    detach = SqlEvents.detach

    async def noted(of: SqlEvents, account_id: str, most: int) -> int:
        batches.append(await detach(of, account_id, most))
        return batches[-1]

    monkeypatch.setattr(SqlEvents, "detach", noted)
    await delete_account(world.env, COMMAND_LINE, account)
    assert await find_account(world.env, ADA) is None
    assert (max(batches), sum(batches)) == (1_000, MANY + 1)
    assert await count(world, events, events.c.network_address == "10.0.0.1") == 0
    assert await count(world, events, REFUSED) == MANY, "that it happened stays"


@pytest.mark.parametrize("email", [ADA, NOBODY])
async def test_n8_of_attempts_that_are_not_checked_one_in_a_minute_is_told(backend: Backend, email: str) -> None:
    async with world_on(backend, FEW) as world:
        await world.register()
        client = await world.client()
        for minutes in range(3):
            for _ in range(20):
                answer = await client.post("/api/auth/login", json={"email": email, "password": "wrong horse"})
                assert answer.status_code == 400
            assert await count(world, events, REFUSED) == FEW.login_attempts.at_most + 1 + minutes
            world.clock.advance(minutes=1)


async def test_n8_ten_letters_in_a_day_tell_of_new_devices(world: World) -> None:
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    for number in range(30):
        browser = await world.client()
        browser.headers["User-Agent"] = f"program {number}"
        await browser.post("/api/auth/login", json={"email": ADA, "password": RIGHT})
        world.clock.advance(seconds=1)
    await world.deliver()
    assert told(world) == 10
    world.clock.advance(days=1)
    browser = await world.client()
    browser.headers["User-Agent"] = "another program"
    await browser.post("/api/auth/login", json={"email": ADA, "password": RIGHT})
    await world.deliver()
    assert told(world) == 11


def told(world: World) -> int:
    """How many letters told of a new device."""
    return sum(letter.kind is LetterKind.NEW_DEVICE for letter in world.mailer.letters)
