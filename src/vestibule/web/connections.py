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
import os
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from vestibule.model.limits import network_of
from vestibule.process.signals import TO_STOP, on_stop_signal
from vestibule.web.client_address import Network, is_listed
from vestibule.web.under_way import Stage, UnderWay

_FILES = Path("/proc/self/fd")
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
# Of `struct tcp_info` in Linux's linux/tcp.h: milliseconds since we sent something, at first since it was opened.
_LAST_SENT_AT, _TCP_INFO_BYTES = 44, 48
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


@dataclass(frozen=True)
class Open:
    """An open connection: a file of its own that leads to it, who is at the other end, and for how many seconds it was
    answered nothing, since the last answer or since it was opened.
    """

    file: socket.socket
    network: str
    counted: bool
    unanswered: float
    stage: Stage | None = None

    def cut(self) -> None:
        """Cut the connection; the server library notices and lets it go."""
        with contextlib.suppress(OSError):
            self.file.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def shedding(bounds: Bounds, under_way: UnderWay) -> AsyncIterator[None]:
    """Shed while the block lasts; from SIGTERM on, clients that could keep the process from ending."""
    if not await asyncio.to_thread(_FILES.is_dir):
        yield
        return
    stopping = asyncio.Event()
    task = asyncio.create_task(_shed_always(bounds, under_way, stopping))
    try:
        with on_stop_signal(stopping.set, TO_STOP):
            yield
    finally:
        task.cancel()


def shed(bounds: Bounds, under_way: UnderWay, stopping_for: float | None = None) -> Counter[str]:
    """Cut what is too much, what was answered nothing for longest first, or, with `stopping_for` in seconds, what keeps
    the process from ending; return how many of each network.
    """
    if stopping_for is None and sum(1 for _ in _FILES.iterdir()) <= bounds.for_network:
        return Counter()
    with contextlib.ExitStack() as files:
        connections = [files.enter_context(_closing(each)) for each in _connections(bounds, under_way)]
        those = _too_much(bounds, connections) if stopping_for is None else _lingering(connections, stopping_for)
        cut = list(those)
        for each in cut:
            each.cut()
        return Counter(each.network for each in cut)


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


def _connections(bounds: Bounds, under_way: UnderWay) -> Iterator[Open]:
    """Yield the connections of this process on the port, each through a file of its own, so that no other can take its
    place.
    """
    for file in list(_FILES.iterdir()):
        copy = _copy_of(int(file.name))
        connection = None if copy is None else _looked_at(copy, bounds, under_way)
        if connection is not None:
            yield connection
        elif copy is not None:
            copy.close()


def _copy_of(number: int) -> socket.socket | None:
    """Return another file that leads to the same socket; None if there is none, or not any more."""
    try:
        copy = os.dup(number)
    except OSError:
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None


def _looked_at(copy: socket.socket, bounds: Bounds, under_way: UnderWay) -> Open | None:
    """Return what is known of a socket; None if it is no connection of a client's."""
    try:
        if copy.family not in {socket.AF_INET, socket.AF_INET6} or copy.getsockname()[1] != bounds.port:
            return None
        address, port = copy.getpeername()[:2]
        known = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:
        return None
    (sent,) = struct.unpack_from("=I", known, _LAST_SENT_AT)
    counted, stage = not is_listed(address, bounds.proxies), under_way.of((address, port))
    return Open(copy, network_of(address), counted, sent / 1000, stage)


@contextlib.contextmanager
def _closing(connection: Open) -> Iterator[Open]:
    with connection.file:
        yield connection


async def _shed_always(bounds: Bounds, under_way: UnderWay, stopping: asyncio.Event) -> None:
    """Look again and again, and take no more than a quarter of the time for it."""
    stopping_since: float | None = None
    told = _Told()
    while True:
        began = time.monotonic()
        if stopping.is_set() and stopping_since is None:
            stopping_since = began
        stopping_for = None if stopping_since is None else began - stopping_since
        try:
            cut = await asyncio.to_thread(shed, bounds, under_way, stopping_for)
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
