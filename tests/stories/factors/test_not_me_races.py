"""The link that removes a new factor, beside whoever added it: in any order nothing of theirs is left."""

import asyncio
from typing import Any

from tests.harness.authenticator import Authenticator
from tests.harness.rounds import rounds
from tests.harness.world import BASE, World
from tests.stories import passkeys
from tests.stories.factors.apps import ADA, CODES, PASSWORD, enrol, first_step, prove, second_step
from tests.stories.factors.not_me import links, press, presses, stored
from tests.stories.factors.resets import account, kinds_of_events
from tests.unit.flows import NEW_PASSWORD, reset, verify
from vestibule.model.letters import LetterKind

ROUNDS = rounds(50, suite=4)
AT_ONCE = 8


async def ready(world: World) -> None:
    """Ada's account, whose email is verified."""
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200


async def back_again(world: World, secret: str) -> None:
    """The owner chooses the old password again, for the next round a day later."""
    assert await reset(world, secret, NEW_PASSWORD) == 200
    assert await reset_again(world) == 200
    world.clock.advance(seconds=24 * 3600)


async def reset_again(world: World) -> int:
    await (await world.client()).post("/api/auth/forgotpassword", json={"email": ADA})
    await world.deliver()
    return await reset(world, world.secret(LetterKind.RESET_PASSWORD), PASSWORD)


async def live_sessions(world: World) -> int:
    async with world.env.store.reading() as read:
        return await read.sessions.count_live((await account(world)).id, world.clock.now())


def at_once(*requests: Any) -> Any:
    return asyncio.gather(*requests)


async def test_f67_of_many_at_once_the_link_works_for_one(racing_world: World) -> None:
    world = racing_world
    await ready(world)
    for number in range(1, ROUNDS + 1):
        browser = await world.sign_in()
        await enrol(world, browser)
        secret = (await links(world))[-1]
        answers = await at_once(*(press(world, secret) for _ in range(AT_ONCE)))
        opened = [answer.headers["location"] for answer in answers if answer.status_code == 303]
        assert (len(opened), await live_sessions(world)) == (1, 0)
        assert (await kinds_of_events(world)).count("factor_reported") == number
        await back_again(world, opened[0].partition("?")[0].rpartition("/")[2])


async def test_f67_beside_sign_ins_with_that_factor_no_session_is_left(racing_world: World) -> None:
    """F67: by its passkey alone, by a code as the second step, and by a recovery code."""
    world = racing_world
    await ready(world)
    for _ in range(ROUNDS):
        browser, key = await world.sign_in(), Authenticator()
        app, codes = await enrol(world, browser)
        await prove(browser, app)
        await passkeys.add(browser, key)
        secret = (await links(world))[-2]
        waiting = [await world.client() for _ in range(2)]
        for each in waiting:
            await first_step(each)
        code, alone = app.next_code(), await world.client(origin=BASE)
        opened, *others = await at_once(
            press(world, secret),
            passkeys.sign_in(alone, key),
            second_step(waiting[0], code),
            second_step(waiting[1], codes[0]),
        )
        assert opened.status_code == 303, [opened, *others]
        assert (await live_sessions(world), (await stored(world)).needed) == (0, False)
        await back_again(world, opened.headers["location"].partition("?")[0].rpartition("/")[2])


async def test_f67_beside_a_change_of_factors_in_a_session_nothing_of_it_is_left(racing_world: World) -> None:
    """F67: another passkey, other recovery codes, and the removal of the factor that the link is for."""
    world = racing_world
    await ready(world)
    for _ in range(ROUNDS):
        browser, key = await world.sign_in(), Authenticator()
        app, _ = await enrol(world, browser)
        await prove(browser, app)
        secret = (await links(world))[-1]
        made = key.create(await passkeys.ask(browser, f"{passkeys.MINE}/options"))
        opened, *_ = await at_once(
            press(world, secret), browser.post(passkeys.MINE, json={"credential": made}), browser.post(CODES)
        )
        assert (opened.status_code, (await stored(world)).needed, await live_sessions(world)) == (303, False, 0)
        assert (await stored(world)).recovery_codes_left == 0
        await back_again(world, opened.headers["location"].partition("?")[0].rpartition("/")[2])


async def test_f67_beside_the_removal_of_the_factor_one_of_both_wins(racing_world: World) -> None:
    """F67: a link whose factor was removed first is dead, and ends nothing."""
    world, found = racing_world, set()
    await ready(world)
    for _ in range(ROUNDS):
        browser = await world.sign_in()
        app, _ = await enrol(world, browser)
        await prove(browser, app)
        secret = (await links(world))[-1]
        opened, removed = await at_once(presses(world, secret), browser.delete("/api/users/me/factors/totp"))
        found.add((opened, removed.status_code))
        assert not (await stored(world)).needed
        assert await reset_again(world) == 200
        world.clock.advance(seconds=24 * 3600)
    assert found <= {("removed", 401), ("dead", 200)}
