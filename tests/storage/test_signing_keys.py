"""`model.store.SigningKeys`, on both databases."""

import asyncio
from datetime import timedelta

import pytest

from tests.harness.world import World
from tests.storage import NOW
from vestibule.model.signing_keys import KeyState, KeyUse, SealedKey
from vestibule.model.store import Store

PROCESSES = 8


def a_key(kid: str, use: KeyUse = KeyUse.ACCESS, minutes: int = 0) -> SealedKey:
    return SealedKey(kid, use, KeyState.CURRENT, "RS256", f"sealed {kid}", NOW + timedelta(minutes=minutes))


async def add(store: Store, key: SealedKey) -> bool:
    async with store.transaction() as tx:
        return await tx.signing_keys.add_current(key)


async def stored(store: Store) -> list[SealedKey]:
    async with store.reading() as read:
        return await read.signing_keys.all()


@pytest.fixture
def store(world: World) -> Store:
    return world.env.store


async def test_at_first_there_is_none(store: Store) -> None:
    assert await stored(store) == []


async def test_each_use_has_one_current_key(store: Store) -> None:
    access, refresh = a_key("first"), a_key("second", KeyUse.REFRESH, minutes=1)
    assert await add(store, access)
    assert await add(store, refresh)
    assert not await add(store, a_key("third", KeyUse.ACCESS, minutes=2))
    assert not await add(store, a_key("fourth", KeyUse.REFRESH, minutes=3))
    assert await stored(store) == [refresh, access]


async def test_a_key_is_not_added_twice(store: Store) -> None:
    assert await add(store, a_key("first"))
    assert not await add(store, a_key("first", KeyUse.REFRESH))
    assert await stored(store) == [a_key("first")]


async def test_of_processes_that_start_together_one_makes_the_key(racing_world: World) -> None:
    racing = racing_world.env.store
    added = await asyncio.gather(*(add(racing, a_key(f"key {process}")) for process in range(PROCESSES)))
    assert sorted(added) == [False] * (PROCESSES - 1) + [True]
    assert [key.kid for key in await stored(racing)] == [f"key {added.index(True)}"]
