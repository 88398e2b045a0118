"""Check for how long servers go on answering from memory while they cannot reach the database."""

import asyncio
import time
from contextlib import suppress
from typing import Self

from measure.faults.balancer import NoAnswer
from measure.faults.cell import Run
from measure.faults.ledger import Person

STALENESS_SECONDS = 5.0
"""For how long a server may trust its revocation set without reading the record again."""
_KNOWN = 5


class Known:
    """People whose access tokens both servers have in memory, who do nothing but look at their own profile."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._people: list[Person] = []
        self._looks: list[tuple[float, int]] = []
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        while len(self._people) < _KNOWN:
            if self._run.load.people:
                self._people.append(self._run.load.people.pop())
            await asyncio.sleep(0.05)
        for person in self._people:
            await self._run.load.deeds.refresh(person)
        await self._look()
        self._looks.clear()
        self._looking = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._run.load.people.extend(self._people)

    async def _go_on(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(0.2)

    async def _look(self) -> None:
        await asyncio.gather(*(self._one(person, port) for person in self._people for port in self._run.stand.ports))

    async def _one(self, person: Person, port: int) -> None:
        begun = time.monotonic()
        bearer = {"Authorization": f"Bearer {person.access}"}
        with suppress(NoAnswer):
            answer = await self._run.load.balancer.ask("known", "GET", "/api/users/me", {200}, port, headers=bearer)
            self._looks.append((begun, answer.status_code))

    def served_while_fresh(self) -> None:
        """Expect 200 for known tokens while the revocation set is fresh, and 503 from `STALENESS_SECONDS` on."""
        begun, ended = self._run.load.timeline.begun or 0.0, self._run.load.timeline.ended or 0.0
        fresh = [status for at, status in self._looks if begun < at < begun + STALENESS_SECONDS - 1.5]
        stale = [status for at, status in self._looks if begun + STALENESS_SECONDS + 1.5 < at < ended - 1.0]
        served = fresh.count(200) / max(len(fresh), 1)
        self._run.expect("what both know is served while the revocation set is fresh", f"{served:.0%}", served == 1)
        if stale:
            self._run.expect("and 503 afterwards", f"{stale.count(503) / len(stale):.0%}", set(stale) == {503})
