"""Connections: shed those that are owed nothing before they keep others out.

The server library takes a fixed number of connections at once and then lets the next wait, no matter who has them. It
tells nobody of a connection before its first request, so each process looks at its own sockets: Linux says to whom each
leads and when we last sent something there. What came does not count: a byte of a head each second is no request.
A request that is worked on is spared, for it waits for us. Elsewhere than on Linux nothing is shed, and the library's
time-outs have to do.
"""

import asyncio
import contextlib
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from vestibule.process.signals import TO_STOP, on_stop_signal
from vestibule.web.client_address import Network
from vestibule.web.own_sockets import Open, OwnSockets
from vestibule.web.under_way import Stage, UnderWay

_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 2.0
"""A follower of the feed hears a heartbeat each second, and most answers take less."""
_CUT_SECONDS = 0.05
"""When some were cut, who waits behind them is let in, and may be as bad."""
_TOLD_SECONDS = 10.0
_LAST_SECONDS = {None: 1.0, Stage.READING: 5.0, Stage.ANSWERING: 10.0}
"""After SIGTERM: how long a client is waited for that has still to send a request, or to read its answer. The first is
long enough for what is answered at once. What is worked on is waited for without an end here.
"""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Bounds:
    """Connections that one process may have on a port, and what one network may have of them. The addresses of
    `proxies` are not counted: each serves many.
    """

    port: int
    most: int
    proxies: tuple[Network, ...] = ()

    @property
    def for_network(self) -> int:
        return max(self.most // 4, 1)

    @property
    def crowded(self) -> int:
        """Return above how many connections those of every network are shed."""
        return self.most * 3 // 4


@asynccontextmanager
async def shedding(bounds: Bounds, under_way: UnderWay) -> AsyncIterator[None]:
    """Shed while the block lasts; from SIGTERM on, clients that could keep the process from ending."""
    if not await asyncio.to_thread(OwnSockets.can_be_seen):
        yield
        return
    stopping = asyncio.Event()
    task = asyncio.create_task(_shed_always(bounds, under_way, stopping))
    try:
        with on_stop_signal(stopping.set, TO_STOP):
            yield
    finally:
        task.cancel()


def shed(bounds: Bounds, sockets: OwnSockets, under_way: UnderWay, stopping_for: float | None = None) -> Counter[str]:
    """Cut what is too much, what was answered nothing for longest first, or, `stopping_for` so many seconds, who keeps
    the process from ending; how many of each network.
    """
    if stopping_for is None and OwnSockets.files() <= bounds.for_network:
        return Counter()
    with contextlib.ExitStack() as files:
        of_interest = sockets.look() if stopping_for is not None else _of_interest(bounds, sockets.look())
        connections = list[Open]()
        for each in sockets.opened(of_interest, under_way):
            files.callback(each.file.close)
            connections.append(each)
        those = _too_much(bounds, connections) if stopping_for is None else _lingering(connections, stopping_for)
        cut = list(those)
        for each in cut:
            each.cut()
        return Counter(each.network for each in cut)


def _of_interest(bounds: Bounds, networks: Counter[str]) -> Collection[str]:
    """Of which networks some may have to go: of those above their share, or of all where it is crowded."""
    if networks.total() > bounds.crowded:
        return networks
    return {network for network, left in networks.items() if left > bounds.for_network}


def _too_much(bounds: Bounds, connections: list[Open]) -> Iterator[Open]:
    """Yield the connections to cut: above a network's share after a while without an answer, and at once where it was
    crowded; and after that those of every network, as long as it is crowded.
    """
    left = Counter(each.network for each in connections)
    everywhere = len(connections)
    was_crowded = everywhere > bounds.crowded
    for each in sorted(connections, key=lambda each: -each.unanswered):
        if not each.counted or each.stage is Stage.WORKING:
            continue
        waited, crowded = each.unanswered >= _PATIENCE_SECONDS, everywhere > bounds.crowded
        if (waited or was_crowded) if left[each.network] > bounds.for_network else (waited and crowded):
            left[each.network] -= 1
            everywhere -= 1
            yield each


def _lingering(connections: list[Open], seconds: float) -> Iterator[Open]:
    """Yield the connections that a process which has been stopping for `seconds` waits for no longer."""
    for each in connections:
        reads_nothing = each.stage is Stage.ANSWERING and each.unanswered >= _PATIENCE_SECONDS
        if reads_nothing or seconds >= _LAST_SECONDS.get(each.stage, math.inf):
            yield each


async def _shed_always(bounds: Bounds, under_way: UnderWay, stopping: asyncio.Event) -> None:
    """Look again and again, and take no more than a quarter of the time for it."""
    stopping_since: float | None = None
    told, sockets = _Told(), OwnSockets(bounds.port, bounds.proxies)
    while True:
        began = time.monotonic()
        if stopping.is_set() and stopping_since is None:
            stopping_since = began
        stopping_for = None if stopping_since is None else began - stopping_since
        try:
            cut = await asyncio.to_thread(shed, bounds, sockets, under_way, stopping_for)
        except Exception:  # no file to look by, say: then above all it goes on
            cut = Counter()
            told.tell_failure(began)
        if stopping_for is None:
            told.tell(cut, began)
        pause = _CUT_SECONDS if cut else _LOOK_SECONDS
        await asyncio.sleep(max(pause, 3 * (time.monotonic() - began)))


class _Told:
    """What was cut, told at once and then once in a while: who comes again at once is cut twenty times a second."""

    def __init__(self) -> None:
        self._untold = Counter[str]()
        self._next_at = self._next_failure_at = 0.0

    def tell_failure(self, now: float) -> None:
        """Log the exception that is being handled, once in a while."""
        if now >= self._next_failure_at:
            _log.exception("connections_not_looked_at")
            self._next_failure_at = now + _TOLD_SECONDS

    def tell(self, cut: Counter[str], now: float) -> None:
        self._untold += cut
        if not self._untold or now < self._next_at:
            return
        (network, most), *_ = self._untold.most_common(1)
        _log.warning(
            "connections_shed", count=self._untold.total(), networks=len(self._untold), most_of=network, of_it=most
        )
        self._untold, self._next_at = Counter(), now + _TOLD_SECONDS
