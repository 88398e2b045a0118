"""Cut idle connections before they keep other clients out. `app` starts this with `shedding`.

The server library accepts a fixed number of connections. When they are all taken, the next client waits. The library
reports a connection only with its first request, so each process looks at its own sockets (`own_sockets`). Linux shows
the client of each socket, and when we last sent something to it. A connection counts as idle since then. Received bytes
do not count, because a client could send one byte of a request each second. A request that is being handled is never
cut, because its client waits for us; the time that the work took does not count as idle.

This module works on Linux only. On other systems nothing is closed here; the library's time-outs remain.
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
from vestibule.web.in_flight import InFlight, Stage
from vestibule.web.own_sockets import Connection, OwnSockets

_LOOK_SECONDS = 0.25
"""The pause between two looks at the connections."""
_IDLE_SECONDS = 2.0
"""A connection that was idle for this long may be cut. A feed sends a heartbeat each second; most answers are quick."""
_CUT_SECONDS = 0.05
"""The pause after connections were cut: the clients that get in next may be as bad."""
_LOG_SECONDS = 10.0
_SECONDS_AFTER_SIGTERM = {None: 1.0, Stage.READING: 5.0, Stage.ANSWERING: 10.0}
"""After SIGTERM: how long to wait for a client, by the stage of its request. None: it has sent no request yet. A
request that is being handled (`Stage.WORKING`, not listed) is waited for without a limit.
"""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Bounds:
    """How many connections one process may have on a port, and how many of them one network may have. Connections from
    `proxies` are not limited: each of them serves many clients.
    """

    port: int
    most: int
    proxies: tuple[Network, ...] = ()

    @property
    def per_network(self) -> int:
        """Return how many connections one network may have: a quarter, so that taking all needs four networks."""
        return max(self.most // 4, 1)

    @property
    def crowded_above(self) -> int:
        """Return the number of connections above which any network may lose some: three quarters of all."""
        return self.most * 3 // 4


@asynccontextmanager
async def shedding(bounds: Bounds, in_flight: InFlight) -> AsyncIterator[None]:
    """Cut idle connections while the block lasts. After SIGTERM, cut those that could keep the process from ending."""
    if not await asyncio.to_thread(OwnSockets.can_be_seen):
        yield
        return
    stopping = asyncio.Event()
    task = asyncio.create_task(_shed_always(bounds, in_flight, stopping))
    try:
        with on_stop_signal(stopping.set, TO_STOP):
            yield
    finally:
        task.cancel()


def shed(bounds: Bounds, sockets: OwnSockets, in_flight: InFlight, stopping_for: float | None = None) -> Counter[str]:
    """Cut connections above the bounds, those that were idle for longest first. If the process has been stopping
    for `stopping_for` seconds, cut those that keep it from ending instead. Return how many were cut in each network.
    """
    if stopping_for is None and OwnSockets.open_files() <= bounds.per_network:
        return Counter()  # the cheap test first: with so few open files no network can be above its share
    with contextlib.ExitStack() as files:
        scanned = sockets.scan()
        networks = _over_limit(bounds, scanned) if stopping_for is None else scanned
        connections: list[Connection] = []
        for each in sockets.connections(networks, in_flight):
            files.callback(each.file.close)
            connections.append(each)
        to_cut = _excess(bounds, connections) if stopping_for is None else _lingering(connections, stopping_for)
        cut = list(to_cut)
        for each in cut:
            each.cut()
        return Counter(each.network for each in cut)


def _over_limit(bounds: Bounds, networks: Counter[str]) -> Collection[str]:
    """Return the networks whose connections may be cut: those above their share, or all if the process is crowded."""
    if networks.total() > bounds.crowded_above:
        return networks
    return {network for network, count in networks.items() if count > bounds.per_network}


def _excess(bounds: Bounds, connections: list[Connection]) -> Iterator[Connection]:
    """Yield the connections to cut, those that were idle for longest first.

    A network above its share loses the connections that were idle for two seconds; all above its share, idle or not, if
    the process was crowded when this function began. A network within its share loses only connections that were idle
    for two seconds, and only until the process is no longer crowded.
    """
    left = Counter(each.network for each in connections)
    total = len(connections)
    was_crowded = total > bounds.crowded_above
    for each in sorted(connections, key=lambda each: -each.idle_seconds):
        if not each.limited or each.stage is Stage.WORKING:
            continue
        was_idle = each.idle_seconds >= _IDLE_SECONDS
        if left[each.network] > bounds.per_network:
            may_be_cut = was_idle or was_crowded
        else:
            may_be_cut = was_idle and total > bounds.crowded_above
        if may_be_cut:
            left[each.network] -= 1
            total -= 1
            yield each


def _lingering(connections: list[Connection], seconds: float) -> Iterator[Connection]:
    """Yield the connections to cut when the process has been stopping for `seconds`."""
    for each in connections:
        reads_nothing = each.stage is Stage.ANSWERING and each.idle_seconds >= _IDLE_SECONDS
        if reads_nothing or seconds >= _SECONDS_AFTER_SIGTERM.get(each.stage, math.inf):
            yield each


async def _shed_always(bounds: Bounds, in_flight: InFlight, stopping: asyncio.Event) -> None:
    """Look at the connections repeatedly, busy for at most a quarter of the time."""
    stopping_since: float | None = None
    shed_log, sockets = _ShedLog(), OwnSockets(bounds.port, bounds.proxies)
    while True:
        began = time.monotonic()
        if stopping.is_set() and stopping_since is None:
            stopping_since = began
        stopping_for = None if stopping_since is None else began - stopping_since
        try:
            cut = await asyncio.to_thread(shed, bounds, sockets, in_flight, stopping_for)
        except Exception:  # for example no file descriptor is free: that is exactly when this loop is needed
            cut = Counter()
            shed_log.add_failure(began)
        if stopping_for is None:
            shed_log.add(cut, began)
        pause = _CUT_SECONDS if cut else _LOOK_SECONDS
        await asyncio.sleep(max(pause, 3 * (time.monotonic() - began)))


class _ShedLog:
    """Logs how many connections were cut: the first time at once, then every ten seconds. A client that always connects
    again is cut twenty times a second, too often for a line each.
    """

    def __init__(self) -> None:
        self._untold = Counter[str]()
        self._next_line_at = self._next_failure_at = 0.0

    def add_failure(self, now: float) -> None:
        """Log the exception that is being handled, at most every ten seconds."""
        if now >= self._next_failure_at:
            _log.exception("connections_not_looked_at")
            self._next_failure_at = now + _LOG_SECONDS

    def add(self, cut: Counter[str], now: float) -> None:
        """Add what was cut; log the sum if ten seconds have passed since the last line."""
        self._untold += cut
        if not self._untold or now < self._next_line_at:
            return
        (network, most), *_ = self._untold.most_common(1)
        _log.warning(
            "connections_shed", count=self._untold.total(), networks=len(self._untold), most_of=network, of_it=most
        )
        self._untold, self._next_line_at = Counter(), now + _LOG_SECONDS
