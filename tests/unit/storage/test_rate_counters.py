"""`model.limits.RateCounters`, on both databases; and exact under a race, on PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.harness.world import World
from tests.unit.storage import NOW
from vestibule.model.limits import LetterLimits, Limit
from vestibule.model.store import Store
from vestibule.storage.sql.schema import rate_counters

HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
THREE = Limit("three", 3, HOUR)


async def take(store: Store, subject: str = "ada", limit: Limit = THREE, late: timedelta = timedelta()) -> bool:
    async with store.transaction() as tx:
        return await tx.rate_counters.take(limit, subject, NOW + late)


async def test_so_many_and_no_more_until_the_stretch_is_over(store: Store) -> None:
    assert [await take(store) for _ in range(5)] == [True, True, True, False, False]
    assert not await take(store, late=HOUR - INSTANT)
    assert [await take(store, late=HOUR) for _ in range(4)] == [True, True, True, False]


async def test_subjects_and_limits_are_counted_apart(store: Store) -> None:
    assert [await take(store) for _ in range(3)] == [True] * 3
    assert await take(store, "grace")
    assert await take(store, limit=Limit("another", 3, HOUR))


async def test_what_was_rolled_back_is_not_counted(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await _take_and_fail(store)
    assert [await take(store) for _ in range(4)] == [True, True, True, False]


async def test_what_is_over_is_forgotten(world: World) -> None:
    store = world.env.store
    await take(store)
    await take(store, "grace", late=HOUR)
    async with store.transaction() as tx:
        assert await tx.rate_counters.purge(NOW + HOUR, 9) == 1
    async with world.engines.sqlalchemy_reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(rate_counters))).scalar_one() == 1


async def test_of_64_at_once_exactly_as_many_as_the_limit_says(racing_world: World) -> None:
    for attempt in range(20):
        taken = await asyncio.gather(*(take(racing_world.env.store, f"round {attempt}") for _ in range(64)))
        assert sum(taken) == THREE.times


def test_letters_wait_longer_each_time() -> None:
    limits = LetterLimits.per_hour(to_email=3, for_network=60)
    assert [limits.to_email.after(letters) / HOUR for letters in range(1, 7)] == [0, 0, 1, 2, 3, 3]
    assert (limits.for_network.times, limits.for_network.within) == (60, HOUR)


async def test_letters_are_spaced_further_and_further_and_anew_a_day_later(store: Store) -> None:
    spacing = LetterLimits.per_hour(3, 60, timedelta(minutes=5)).to_email
    sent = []
    for minutes in range(24 * 60):
        async with store.transaction() as tx:
            if await tx.rate_counters.take_spaced(spacing, "ada", NOW + timedelta(minutes=minutes)) is not None:
                sent.append(minutes)
    assert sent == [0, 5, 10, 70, 190, *range(370, 24 * 60, 180)]
    async with store.transaction() as tx:
        assert await tx.rate_counters.take_spaced(spacing, "ada", NOW + timedelta(days=3)) == 1


async def test_of_64_letters_at_once_one_goes_out(racing_world: World) -> None:
    spacing = LetterLimits.per_hour(3, 60, timedelta(minutes=5)).to_email

    async def one(store: Store) -> int | None:
        async with store.transaction() as tx:
            return await tx.rate_counters.take_spaced(spacing, "ada", NOW)

    taken = await asyncio.gather(*(one(racing_world.env.store) for _ in range(64)))
    assert [each for each in taken if each is not None] == [1]


async def _take_and_fail(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.rate_counters.take(THREE, "ada", NOW)
        raise ZeroDivisionError
