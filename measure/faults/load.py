"""Make load: each deed at its rate, done by people who do one thing at a time."""

import asyncio
from collections import Counter

from measure.faults.balancer import Balancer
from measure.faults.deeds import Deed, Deeds, new_password
from measure.faults.ledger import Ledger, Person
from measure.faults.stand import Stand
from measure.faults.timeline import Timeline
from vestibule.crypto.entropy import random_bytes, spread

# Deeds per second, as the fault matrix has them. A run does a share of each.
MIX: dict[str, float] = {
    "read": 200,
    "refresh": 100,
    "sign_in": 20,
    "register": 5,
    "reset_password": 5,
    "sign_out": 5,
    "change_password": 1,
}
SHARE = 0.1
PEOPLE = 24
_DEEDS: dict[str, Deed] = {name: getattr(Deeds, name) for name in MIX if name != "register"}


class Load:
    """People who use a stand from `begin` to `end`. `held_back` counts deeds that were left out, as nobody was idle."""

    def __init__(self, stand: Stand, share: float = SHARE, people: int = PEOPLE) -> None:
        self.timeline = Timeline()
        self.ledger = Ledger()
        self.balancer = Balancer(stand.ports, self.timeline, self.ledger)
        self.deeds = Deeds(self.balancer, self.ledger, stand.mailbox, stand.ports)
        self.people: list[Person] = []
        self.held_back: Counter[str] = Counter()
        self._share = share
        self._people_wanted = people
        self._tickers: list[asyncio.Task[None]] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Register everybody and sign them in, then begin the deeds of the mix."""
        await asyncio.gather(*(self._arrive() for _ in range(self._people_wanted)))
        self._tickers = [asyncio.create_task(self.balancer.check())]
        self._tickers += [asyncio.create_task(self._tick(name, rate * self._share)) for name, rate in MIX.items()]

    async def end(self) -> None:
        """Begin no new deeds, and wait until those under way are over."""
        for ticker in self._tickers:
            ticker.cancel()
        await asyncio.gather(*self._tickers, return_exceptions=True)
        if self._under_way:
            await asyncio.wait(self._under_way)
        self.timeline.closed = True
        await self.deeds.probed()

    async def _arrive(self) -> None:
        person = a_stranger()
        if await self.deeds.register(person):
            await self.deeds.sign_in(person)
            self.people.append(person)

    async def _tick(self, name: str, rate: float) -> None:
        while True:
            await asyncio.sleep(spread(1.0) / rate)
            task = asyncio.create_task(self._do(name))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _do(self, name: str) -> None:
        if name == "register":
            await self.deeds.register(a_stranger())
            return
        person = self._idle()
        if person is None:
            self.held_back[name] += 1
            return
        try:
            await _DEEDS[name](self.deeds, person)
        finally:
            self.people.append(person)

    def _idle(self) -> Person | None:
        """Take the person who has been idle longest out of `people`, until the deed is over; None if nobody is idle."""
        return self.people.pop(0) if self.people else None


def a_stranger() -> Person:
    """Return somebody who has no account yet."""
    return Person(f"{random_bytes(6).hex()}@example.com", new_password())
