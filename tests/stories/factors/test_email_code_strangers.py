"""Somebody who knows an email alone keeps its owner from no code: neither by asking for codes nor by guessing."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.attempts.test_login_attempts import stranger
from tests.stories.factors.codes import another, ask, asked, mailed_codes, typed, verified
from vestibule.model.email_codes import GUESSES
from vestibule.model.limits import LetterLimits, network_of, wide_network_of

# As it is installed.
LETTERS = LetterLimits.per_hour(to_email=3, for_network=60, gap=timedelta(minutes=5))
DAY, HOUR = 24 * 60, 60


async def owner_s(world: World, minute: int) -> httpx.AsyncClient:
    """A new browser of the owner, who travels."""
    return await stranger(world, f"203.0.113.{minute // HOUR + 1}")


@pytest.mark.parametrize("guesses", [0, GUESSES.times])
async def test_f54_a_stranger_who_asks_all_day_keeps_the_owner_from_no_code(backend: Backend, guesses: int) -> None:
    """F54: in new browsers, in other networks; whether or not the stranger guesses too."""
    async with world_on(backend, replace(POLICY, letters=LETTERS)) as world:
        await verified(world)
        world.clock.advance(hours=48)
        thief = await stranger(world, "2001:db8:bad:1::1")
        for minute in range(0, 2 * DAY, 15):
            await ask(world, thief)
            for _ in range(guesses):
                await typed(thief, "00000000")
            if minute % (4 * HOUR) == 2 * HOUR:
                owner = await owner_s(world, minute)
                assert await typed(owner, await asked(world, owner)) == "ok"
            world.clock.advance(seconds=15 * 60)


async def test_f54_ten_letters_a_day_from_all_networks(backend: Backend) -> None:
    """F54: a network has three of them, however many addresses it has; the next day there are more."""
    async with world_on(backend, replace(POLICY, letters=LETTERS)) as world:
        await verified(world)
        world.clock.advance(hours=48)
        for network in range(5):
            for subnet in range(5):
                world.clock.advance(seconds=5 * 60)
                await ask(world, await stranger(world, f"2001:db8:{network}:{subnet}::1"))
            assert len(mailed_codes(world)) == min(10, 3 * (network + 1))
        known = await world.sign_in()
        assert await typed(known, await asked(world, known)) == "ok", "a known device has letters of its own"
        world.clock.advance(hours=25)
        owner = await owner_s(world, 0)
        assert await typed(owner, await asked(world, owner)) == "ok"


async def test_f54_a_code_that_was_used_is_not_counted(backend: Backend) -> None:
    """F54: whoever signs in by code alone can do so all day."""
    async with world_on(backend, replace(POLICY, letters=LETTERS)) as world:
        await verified(world)
        world.clock.advance(hours=48)
        for _ in range(15):
            owner = await owner_s(world, 0)
            assert await typed(owner, await asked(world, owner)) == "ok"


async def test_f54_all_guesses_that_strangers_have_in_two_days_spend_no_budget(world: World) -> None:
    """F54: the last letters of one day and the first of the next, each with its five guesses."""
    await verified(world)
    for day in range(2):
        for number in range(POLICY.letters.codes_a_day.times):
            thief = await stranger(world, f"198.51.100.{10 * day + number}")
            right = await asked(world, thief)
            assert [await typed(thief, another(right)) for _ in range(GUESSES.times)] == ["email_code_wrong"] * 5
            if day == number == 0:
                world.clock.advance(seconds=timedelta(hours=23, minutes=55).total_seconds())
        world.clock.advance(seconds=6 * 60)
    known = await world.sign_in()
    assert await typed(known, await asked(world, known)) == "ok"


async def test_f54_where_no_code_was_mailed_nothing_is_counted(backend: Backend) -> None:
    """F54: somebody whose letter was one too many guesses in vain, and the cookie does not tell."""
    async with world_on(backend, replace(POLICY, letters=LETTERS)) as world:
        await verified(world)
        world.clock.advance(hours=48)
        owner = await owner_s(world, 0)
        code = await asked(world, owner)
        lengths = {len(owner.cookies["email_code"])}
        for _ in range(30):
            thief = await stranger(world, "203.0.113.1")
            await ask(world, thief)
            lengths.add(len(thief.cookies["email_code"]))
            for _ in range(GUESSES.times):
                assert await typed(thief, "00000000") == "email_code_wrong"
            assert await typed(thief, code) == "email_code_spent"
        assert len(lengths) == 1
        assert len(mailed_codes(world)) == 1
        assert await typed(owner, code) == "ok"


@pytest.mark.parametrize(
    ("address", "narrow", "wide"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::3", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("", "", ""),
        ("nonsense", "nonsense", "nonsense"),
    ],
)
def test_networks(address: str, narrow: str, wide: str) -> None:
    assert (network_of(address), wide_network_of(address)) == (narrow, wide)
