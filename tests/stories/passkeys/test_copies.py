"""The owner of a passkey is told by email if there may be a copy of it: once a day, wherever it was used."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.authenticator import Authenticator, Lie
from tests.harness.world import World
from tests.stories.factors.apps import SECOND, first_step
from tests.stories.passkeys import ask, sign_in, step_up, store_passkey
from vestibule.model.letters import LetterKind

COPIED = LetterKind.PASSKEY_MAY_BE_COPIED
COUNT = 7
Use = Callable[[World, httpx.AsyncClient, Authenticator], Awaitable[httpx.Response]]
pytestmark = pytest.mark.any_engine


async def alone(world: World, _mine: httpx.AsyncClient, key: Authenticator) -> httpx.Response:
    return await sign_in(await world.client(), key, Lie(count=COUNT))


async def as_second_step(world: World, _mine: httpx.AsyncClient, key: Authenticator) -> httpx.Response:
    await first_step(browser := await world.client())
    credential = key.get(await ask(browser, f"{SECOND}/options"), Lie(count=COUNT))
    return await browser.post(SECOND, json={"credential": credential})


async def as_step_up(_world: World, mine: httpx.AsyncClient, key: Authenticator) -> httpx.Response:
    return await step_up(mine, key, Lie(count=COUNT))


async def an_owner(world: World, keys: int = 1) -> tuple[httpx.AsyncClient, list[Authenticator]]:
    """Ada's session, of somebody who has read her mail, and authenticators whose counters stand at `COUNT`."""
    await (await world.client()).get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    mine, made = await world.sign_in(), [Authenticator() for _ in range(keys)]
    for key in made:
        await store_passkey(world, key)
        assert (await step_up(mine, key, Lie(count=COUNT))).status_code == 200
    return mine, made


async def told(world: World) -> int:
    """How many letters of a copy have arrived."""
    await world.deliver()
    return [letter.kind for letter in world.mailer.letters].count(COPIED)


@pytest.mark.parametrize("use", [alone, as_second_step, as_step_up])
async def test_f16_a_copy_is_told_by_a_letter_once_a_day(world: World, use: Use) -> None:
    """F16: the letter wakes the mail worker, and names the passkey by the day on which it was added."""
    mine, (key,) = await an_owner(world)
    added = world.clock.now()
    assert await told(world) == 0
    world.env.letters_waiting.clear()
    for times in range(3):
        assert (await use(world, mine, key)).status_code == 200
        assert world.env.letters_waiting.is_set() or times
        assert await told(world) == 1
    message = world.mailer.messages[[letter.kind for letter in world.mailer.letters].index(COPIED)]
    plain = message.get_body(("plain",))
    assert plain is not None
    text = " ".join(plain.get_content().split())
    assert f"added to your account on {added:%B} {added.day}, {added.year}" in text
    assert "remove it on the security page" in text
    world.clock.advance(days=1)
    mine = await world.client()
    assert (await sign_in(mine, key, Lie(count=COUNT + 1))).status_code == 200
    assert await told(world) == 1, "it has grown"
    assert (await alone(world, mine, key)).status_code == 200
    assert await told(world) == 2


async def test_f16_each_passkey_is_told_of(world: World) -> None:
    """F16: that one was told of hides no other."""
    mine, keys = await an_owner(world, keys=2)
    for key in (*keys, *keys):
        assert (await alone(world, mine, key)).status_code == 200
    assert await told(world) == 2


async def test_f16_a_synced_passkey_that_does_not_count_is_no_copy(world: World) -> None:
    await an_owner(world)
    await store_passkey(world, synced := Authenticator(synced=True))
    for _ in range(3):
        assert (await sign_in(await world.client(), synced)).status_code == 200
    assert await told(world) == 0
