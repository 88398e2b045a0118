"""When a letter leaves: at no moment that who asked for it could foresee, and then watch for the work that it makes."""

import asyncio

import pytest

from tests.harness.world import World
from tests.unit.flows import ask_for_reset
from vestibule.flows.env import Env
from vestibule.wiring import background

NEVER = 3600.0


async def first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()


async def test_d5_a_letter_leaves_after_a_wait_that_is_drawn_by_lot(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D5: whether or not anybody is known; so what the loop does just after the answer is the same."""
    await world.register()
    looked, drawn, stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()
    real, waits = background._delivered, list[float]()

    async def looks(env: Env) -> bool:
        found = await real(env)
        if not found:
            looked.set()
        return found

    def draws(at_most: float) -> float:
        waits.append(at_most)
        drawn.set()
        return NEVER

    monkeypatch.setattr(background, "POLL_SECONDS", NEVER)
    monkeypatch.setattr(background, "_delivered", looks)
    monkeypatch.setattr(background, "jitter", draws)
    sent = len(world.mailer.letters)
    worker = asyncio.create_task(background.deliver_letters(world.env, stopping))
    async with asyncio.timeout(60):
        await looked.wait()
        looked.clear()
        await ask_for_reset(world)
        await first_of(drawn, looked)
    assert waits == [1.0], "nobody looks again before a lot is drawn"
    assert world.mailer.letters[sent:] == [], "it waits as long as the lot said"
    monkeypatch.setattr(background, "jitter", lambda at_most: 0.0)
    stopping.set()
    await worker
    stopping.clear()
    worker = asyncio.create_task(background.deliver_letters(world.env, stopping))
    looked.clear()
    async with asyncio.timeout(60):
        await looked.wait()
    stopping.set()
    world.env.letters_waiting.set()
    await worker
    assert len(world.mailer.letters[sent:]) == 1
