"""`model.signing_keys.SigningKeys`, on both databases."""

import asyncio
from datetime import datetime, timedelta

import pytest

from tests.harness.world import World
from tests.unit.storage import NOW
from vestibule.model.signing_keys import KeyState, KeyUse, SealedKey
from vestibule.model.store import Store

PROCESSES = 8
LATER = NOW + timedelta(hours=1)
UNTIL = NOW + timedelta(hours=2)


def a_key(kid: str, use: KeyUse = KeyUse.ACCESS, minutes: int = 0, state: KeyState = KeyState.CURRENT) -> SealedKey:
    made_at = NOW + timedelta(minutes=minutes)
    return SealedKey(kid, use, state, "RS256", f"sealed {kid}", made_at, made_at)


async def add(store: Store, key: SealedKey) -> bool:
    async with store.transaction() as tx:
        return await tx.signing_keys.add(key)


async def advance(store: Store, created_until: datetime = NOW) -> str | None:
    async with store.transaction() as tx:
        return await tx.signing_keys.advance(KeyUse.ACCESS, created_until, LATER, UNTIL)


async def withdraw(store: Store, kid: str, now: datetime = LATER, *, early: bool = False) -> bool:
    async with store.transaction() as tx:
        return await tx.signing_keys.withdraw(kid, now, early=early)


async def stored(store: Store) -> list[SealedKey]:
    async with store.reading() as read:
        return await read.signing_keys.all()


async def states(store: Store) -> dict[str, KeyState]:
    return {key.kid: key.state for key in await stored(store)}


@pytest.fixture
async def with_next(store: Store) -> Store:
    await add(store, a_key("old"))
    await add(store, a_key("new", state=KeyState.NEXT))
    return store


async def test_at_first_there_is_none(store: Store) -> None:
    assert await stored(store) == []


async def test_each_use_has_one_current_and_one_next_key(store: Store) -> None:
    access, refresh = a_key("first"), a_key("second", KeyUse.REFRESH, minutes=1)
    upcoming = a_key("third", minutes=2, state=KeyState.NEXT)
    assert await add(store, access)
    assert await add(store, refresh)
    assert await add(store, upcoming)
    assert not await add(store, a_key("fourth", KeyUse.ACCESS, minutes=2))
    assert not await add(store, a_key("fifth", KeyUse.REFRESH, minutes=3))
    assert not await add(store, a_key("sixth", KeyUse.ACCESS, minutes=3, state=KeyState.NEXT))
    assert await stored(store) == [upcoming, refresh, access]


async def test_a_key_is_not_added_twice(store: Store) -> None:
    assert await add(store, a_key("first"))
    assert not await add(store, a_key("first", KeyUse.REFRESH))
    assert await stored(store) == [a_key("first")]


async def test_of_processes_that_start_together_one_makes_the_key(racing_world: World) -> None:
    racing = racing_world.env.store
    added = await asyncio.gather(*(add(racing, a_key(f"key {process}")) for process in range(PROCESSES)))
    assert sorted(added) == [False] * (PROCESSES - 1) + [True]
    assert [key.kid for key in await stored(racing)] == [f"key {added.index(True)}"]


async def test_the_next_key_signs_and_the_current_one_retires(with_next: Store) -> None:
    assert await advance(with_next) == "new"
    assert await states(with_next) == {"old": KeyState.RETIRED, "new": KeyState.CURRENT}
    old = next(key for key in await stored(with_next) if key.kid == "old")
    assert (old.state_since, old.checks_until) == (LATER, UNTIL)


async def test_a_next_key_that_is_too_young_does_not_sign(with_next: Store) -> None:
    assert await advance(with_next, NOW - timedelta(seconds=1)) is None
    assert await states(with_next) == {"old": KeyState.CURRENT, "new": KeyState.NEXT}


async def test_of_racing_rotations_one_advances(racing_world: World) -> None:
    store = racing_world.env.store
    await add(store, a_key("old"))
    await add(store, a_key("new", state=KeyState.NEXT))
    advanced = await asyncio.gather(*(advance(store) for _ in range(PROCESSES)))
    assert [kid for kid in advanced if kid] == ["new"]
    assert await states(store) == {"old": KeyState.RETIRED, "new": KeyState.CURRENT}


async def test_a_retired_key_goes_when_it_is_spent_or_when_told_so(with_next: Store) -> None:
    await advance(with_next)
    assert not await withdraw(with_next, "old")
    assert not await withdraw(with_next, "new", early=True)
    assert not await withdraw(with_next, "unknown", early=True)
    assert await withdraw(with_next, "old", UNTIL)
    assert await states(with_next) == {"old": KeyState.GONE, "new": KeyState.CURRENT}
    assert [key.sealed_private for key in await stored(with_next)] == ["sealed new", ""]
    async with with_next.reading() as read:
        assert await read.signing_keys.states() == {("new", KeyUse.ACCESS, KeyState.CURRENT)}


async def test_a_next_key_goes_only_when_told_so(with_next: Store) -> None:
    assert not await withdraw(with_next, "new", UNTIL)
    assert await withdraw(with_next, "new", early=True)
    assert await states(with_next) == {"old": KeyState.CURRENT, "new": KeyState.GONE}


async def test_spent_keys_go_by_themselves(with_next: Store) -> None:
    await advance(with_next)
    async with with_next.transaction() as tx:
        assert await tx.signing_keys.withdraw_spent(LATER) == 0
        assert await tx.signing_keys.withdraw_spent(UNTIL) == 1


async def test_what_is_sealed_anew_takes_the_place_only_of_what_was_read(with_next: Store) -> None:
    async with with_next.transaction() as tx:
        assert await tx.signing_keys.reencrypt("old", "sealed old", "sealed anew")
        assert not await tx.signing_keys.reencrypt("old", "sealed old", "sealed again")
    assert {key.sealed_private for key in await stored(with_next)} == {"sealed anew", "sealed new"}
