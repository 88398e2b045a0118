"""Follow events: return every event that matches, once, soon after it happened.

Numbers are not in the order of commits: the event with number 7 may appear after 8 was read. So each look goes back to
where the events ended half a minute ago, and leaves out what was returned already.
"""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from vestibule.flows.env import Env
from vestibule.flows.watch_events import find_events
from vestibule.model.events import Event, EventFilter
from vestibule.model.revocations import OVERLAP_SECONDS

_READ_AT_ONCE = 1_000


class EventFollower:
    """What was returned of the events that match `wanted`. Remembers the numbers of half a minute."""

    def __init__(self, env: Env, wanted: EventFilter) -> None:
        self._env = env
        self._wanted = wanted
        self._floor = 0  # nothing new appears at this number or below
        self._ends: deque[tuple[float, int]] = deque()  # moments, and the number of the newest event of all then
        self._returned: set[int] = set()

    async def latest(self, most: int) -> Sequence[Event]:
        """Return up to `most` of the newest events. Call it first, and once. Raises `StoreUnavailable`."""
        await self._note_end()
        newest = await find_events(self._env, EventFilter(), _READ_AT_ONCE)
        asked = max(most, _READ_AT_ONCE)
        found = await find_events(self._env, self._wanted, asked)
        # If an answer is full, there may be older events than its first one. Those are not new, so begin with that one.
        full = [events for events, limit in ((newest, _READ_AT_ONCE), (found, asked)) if len(events) == limit]
        self._floor = max((events[0][0] - 1 for events in full), default=0)
        self._returned = {number for number, _ in found}
        return [event for _, event in found[-most:]]

    async def fresh(self) -> AsyncIterator[Sequence[Event]]:
        """Yield the events that were not returned yet, in batches. Raises `StoreUnavailable`."""
        began_at = await self._note_end()
        after = self._floor
        while found := await find_events(self._env, replace(self._wanted, after=after), _READ_AT_ONCE):
            after = found[-1][0]
            fresh = [(number, event) for number, event in found if number not in self._returned]
            self._returned.update(number for number, _ in fresh)
            if fresh:
                yield [event for _, event in fresh]
        self._drop_old(began_at)

    async def _note_end(self) -> float:
        """Note which event is the newest now, of any kind: few may match, and many be between two that do. Return when
        that was.
        """
        now = self._env.clock.monotonic()
        for number, _ in await find_events(self._env, EventFilter(), 1):
            self._ends.append((now, number))
        return now

    def _drop_old(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now - OVERLAP_SECONDS:
            self._floor = max(self._floor, self._ends.popleft()[1])
        self._returned = {number for number in self._returned if number > self._floor}
