"""O96: who follows the events misses none, in whichever order their transactions commit."""

import asyncio

import pytest

from tests.harness.world import World
from vestibule.flows import follow_events
from vestibule.flows.follow_events import EventFollower
from vestibule.model.events import Event, EventFilter, EventKind
from vestibule.model.revocations import OVERLAP_SECONDS

SERVICE = EventFilter(kinds=(EventKind.SERVICE_CREATED, EventKind.SERVICE_REVOKED))


async def record(world: World, name: str, kind: EventKind = EventKind.SERVICE_CREATED) -> None:
    async with world.env.store.transaction() as tx:
        await tx.events.record(Event(world.clock.now(), kind, detail={"service": name}))


async def fresh(follower: EventFollower) -> list[str]:
    return [event.detail["service"] for events in [each async for each in follower.fresh()] for event in events]


class Held:
    """An event whose number is taken, in a transaction that has not committed."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name
        self._taken, self._let_go = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._record())

    async def _record(self) -> None:
        event = Event(self._world.clock.now(), EventKind.SERVICE_REVOKED, detail={"service": self._name})
        async with self._world.env.store.transaction() as tx:
            await tx.events.record(event)
            self._taken.set()
            await self._let_go.wait()

    async def taken(self) -> "Held":
        await self._taken.wait()
        return self

    async def commit(self) -> None:
        self._let_go.set()
        await self._task


async def test_o96_an_event_that_commits_late_is_shown_and_none_twice(racing_world: World) -> None:
    held = await Held(racing_world, "before the first look").taken()
    await record(racing_world, "first")
    follower = EventFollower(racing_world.env, SERVICE)
    assert [event.detail["service"] for event in await follower.latest(1)] == ["first"]
    late = await Held(racing_world, "late").taken()
    await record(racing_world, "second")
    assert await fresh(follower) == ["second"]
    await held.commit()
    assert await fresh(follower) == ["before the first look"]
    for _ in range(int(OVERLAP_SECONDS) - 1):
        racing_world.clock.advance(seconds=1)
        assert await fresh(follower) == []
    await late.commit()
    await record(racing_world, "third")
    assert await fresh(follower) == ["late", "third"]
    assert await fresh(follower) == []


async def test_o96_what_is_remembered_and_read_again_is_of_half_a_minute(racing_world: World) -> None:
    """O96: also where events that do not match are between those that do."""
    follower = EventFollower(racing_world.env, SERVICE)
    assert await follower.latest(9) == []
    for number in range(100):
        await record(racing_world, str(number))
        await record(racing_world, "of another kind", EventKind.IMPORTED)
        assert await fresh(follower) == [str(number)]
        racing_world.clock.advance(seconds=1)
    assert len(follower._returned) <= OVERLAP_SECONDS + 1
    assert len(follower._ends) <= OVERLAP_SECONDS + 1
    racing_world.clock.advance(seconds=OVERLAP_SECONDS)
    assert (await fresh(follower), follower._returned) == ([], set())


async def test_o96_many_at_once_come_in_order_and_none_of_before(
    racing_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_events, "_READ_AT_ONCE", 3)
    names = [str(number) for number in range(20)]
    for name in names[:10]:
        await record(racing_world, name)
    follower = EventFollower(racing_world.env, SERVICE)
    assert [event.detail["service"] for event in await follower.latest(5)] == names[5:10]
    for name in names[10:]:
        await record(racing_world, name)
    assert await fresh(follower) == names[10:]
