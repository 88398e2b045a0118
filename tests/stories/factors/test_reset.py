"""An operator resets factors that are lost: the owner is told, and has a day to keep them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.harness import dump
from tests.harness.authenticator import Authenticator
from tests.harness.world import World
from tests.stories.factors.apps import ADA, first_step, second_step
from tests.stories.factors.resets import (
    Owner,
    account,
    an_owner,
    by_operator,
    has_factors,
    kinds_of_events,
    told,
    under_way,
)
from tests.stories.passkeys import store_passkey
from vestibule.flows.administer import disable_account
from vestibule.flows.clean_up import clean_up
from vestibule.flows.reset_factors import begin_reset, finish_reset
from vestibule.model.factor_resets import OPERATOR_WAIT, AskedBy, FactorReset, NoReset
from vestibule.model.letters import LetterKind, NotSent
from vestibule.model.operators import COMMAND_LINE

FACTORS = ("totps", "passkeys", "recovery_codes", "pending_sign_ins", "factor_resets")
BEGUN, DONE = LetterKind.FACTOR_RESET_BEGUN, LetterKind.FACTORS_RESET
SECOND = timedelta(seconds=1)


async def signs_in(world: World) -> None:
    await world.sign_in()


async def cleans_up(world: World) -> None:
    assert (await clean_up(world.env))["factor_resets"] == 1
    await world.sign_in()


async def test_f39_the_owner_is_told_at_once_and_when_it_will_be(world: World) -> None:
    await an_owner(world)
    reset = await by_operator(world)
    assert (reset.asked_by, reset.due_at - reset.asked_at) == (AskedBy.OPERATOR, timedelta(hours=24))
    (letter,) = world.mailer.letters
    assert (letter.kind, letter.to) == (BEGUN, ADA)
    assert letter.link_lifetime is not None
    assert letter.link_lifetime >= OPERATOR_WAIT
    assert "factor_reset_begun" in await kinds_of_events(world)


@pytest.mark.parametrize("finish", [signs_in, cleans_up])
async def test_f39_after_a_day_all_factors_go_and_everything_that_was_signed_in(
    world: World, finish: Callable[[World], Awaitable[None]]
) -> None:
    """F39: at the next sign-in, or by the cleaning, whatever comes first; the password is enough then."""
    owner = await an_owner(world)
    await store_passkey(world, Authenticator(), ADA)
    await first_step(await world.client())
    reset = await by_operator(world)
    await stay_signed_in(world, owner)
    assert (await clean_up(world.env))["factor_resets"] == 0
    await first_step(await world.client())
    assert await under_way(world) == reset
    world.clock.advance(seconds=1)
    await finish(world)
    stored = await dump.tables(world)
    assert {table for table in FACTORS if stored[table]} == set()
    assert len(stored["known_devices"]) == 1, "only that of the sign-in after it"
    await world.deliver()
    assert (told(world).count(DONE), (await kinds_of_events(world)).count("factors_reset")) == (1, 1)
    ended = await owner.browser.get("/api/users/me")
    assert (ended.status_code, ended.json()["code"]) == (401, "session_factors_reset")


async def stay_signed_in(world: World, owner: Owner) -> None:
    """Use the session until a second before the wait is over."""
    for _ in range(2 * 24 - 1):
        world.clock.advance(minutes=30)
        assert (await owner.browser.post("/api/auth/refresh")).status_code == 200
    world.clock.advance(minutes=29, seconds=59)
    assert (await owner.browser.post("/api/auth/refresh")).status_code == 200


async def test_f39_what_is_due_is_finished_once_by_many_at_once(world: World) -> None:
    """F39: cleaning and sign-ins of several servers."""
    await an_owner(world)
    await by_operator(world)
    world.clock.advance(seconds=OPERATOR_WAIT.total_seconds())
    account_id = (await account(world)).id
    at_once = [clean_up(world.env), *(finish_reset(world.env, account_id) for _ in range(4)), clean_up(world.env)]
    await asyncio.gather(*at_once, *(world.sign_in() for _ in range(4)))
    await world.deliver()
    assert (told(world).count(DONE), (await kinds_of_events(world)).count("factors_reset")) == (1, 1)


async def test_f39_a_reset_is_neither_begun_twice_nor_shortened(world: World) -> None:
    await an_owner(world)
    reset = await by_operator(world)
    world.clock.advance(hours=1)
    assert await begin_reset(world.env, COMMAND_LINE, await account(world)) is NoReset.UNDER_WAY
    assert await under_way(world) == reset
    await world.deliver()
    assert told(world) == [BEGUN]


async def test_f39_of_many_that_begin_at_once_one_does(world: World) -> None:
    await an_owner(world)
    ada = await account(world)
    begun = await asyncio.gather(*(begin_reset(world.env, COMMAND_LINE, ada) for _ in range(8)))
    assert sorted(isinstance(each, FactorReset) for each in begun) == [False] * 7 + [True]


async def test_f39_where_nobody_could_object_no_reset_begins(world: World) -> None:
    await world.register()
    assert await begin_reset(world.env, COMMAND_LINE, await account(world)) is NoReset.NO_FACTOR
    await store_passkey(world, Authenticator(), ADA)
    assert await begin_reset(world.env, COMMAND_LINE, await account(world)) is NoReset.UNVERIFIED
    await disable_account(world.env, COMMAND_LINE, await account(world))
    assert await begin_reset(world.env, COMMAND_LINE, await account(world)) is NoReset.DISABLED


async def test_f39_the_day_begins_when_the_owner_can_be_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """F39: while no mail server takes the letter, nothing is removed."""
    await an_owner(world)

    async def away(_: object) -> str:
        raise NotSent("451 greylisted")

    with monkeypatch.context() as outage:
        outage.setattr(world.mailer, "send", away)
        await by_operator(world)
    world.clock.advance(days=2)
    await first_step(await world.client())
    assert (await clean_up(world.env))["factor_resets"] == 0
    await world.deliver()
    assert told(world) == [BEGUN]
    reset = await under_way(world)
    assert reset is not None
    assert reset.due_at == world.clock.now() + OPERATOR_WAIT
    assert world.mailer.letters[0].detail["due_at"] == reset.due_at.isoformat(timespec="seconds")
    await first_step(await world.client())
    world.clock.advance(days=1)
    await world.sign_in()
    assert not await has_factors(world)


async def test_f39_a_code_that_was_asked_for_before_is_not_asked_for_after(world: World) -> None:
    """F39: nor does the second step of a sign-in that began before lead anywhere."""
    owner = await an_owner(world)
    await by_operator(world)
    world.clock.advance(seconds=(OPERATOR_WAIT - timedelta(minutes=1)).total_seconds())
    await first_step(browser := await world.client())
    world.clock.advance(minutes=2)
    await world.sign_in()
    assert await second_step(browser, owner.app.next_code()) == "no_pending_sign_in"
