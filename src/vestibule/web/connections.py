"""Connections: shed those that are owed nothing before they keep others out.

The server library takes so many connections at once and then lets the next wait, whoever has the others. It tells
nobody of a connection before its first request, so each process looks at its own sockets: Linux says to whom each
leads and when we last sent something there. What came does not count: a byte of a head each second is no request.
Elsewhere nothing is shed, and the library's time-outs have to do.
"""

import asyncio
import contextlib
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
from vestibule.signals import TO_STOP, heard
from vestibule.web.client_address import Network, is_listed

_FILES = Path("/proc/self/fd")
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 2.0
"""A follower of the feed hears a heartbeat each second, and most answers take less."""
_LAST_ANSWER_SECONDS = 5.0
"""After SIGTERM an answer that takes longer is not waited for; nor is a request that never comes to its end."""
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
        """From so many on, those of every network are shed."""
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

    def cut(self) -> None:
        """End it; the server library notices and lets it go."""
        with contextlib.suppress(OSError):
            self.file.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def shedding(bounds: Bounds) -> AsyncIterator[None]:
    """Shed while the block lasts; from SIGTERM on, whatever is answered nothing, so that nobody keeps the process."""
    if not await asyncio.to_thread(_FILES.is_dir):
        yield
        return
    stopping = asyncio.Event()
    task = asyncio.create_task(_shed_always(bounds, stopping))
    try:
        with heard(stopping.set, TO_STOP):
            yield
    finally:
        task.cancel()


def shed(bounds: Bounds, *, stopping: bool = False) -> Counter[str]:
    """Cut what is too much, what was answered nothing for longest first; how many of each network."""
    if not stopping and sum(1 for _ in _FILES.iterdir()) <= bounds.for_network:
        return Counter()
    with contextlib.ExitStack() as files:
        connections = [files.enter_context(_closing(each)) for each in _connections(bounds)]
        cut = list(_never_ending(connections) if stopping else _too_much(bounds, connections))
        for each in cut:
            each.cut()
        return Counter(each.network for each in cut)


def _too_much(bounds: Bounds, connections: list[Open]) -> Iterator[Open]:
    """Whom to cut: above a network's share after a while without an answer, and at once while it is crowded; and after
    that while those of every network, as long as it is crowded.
    """
    left = Counter(each.network for each in connections)
    everywhere = len(connections)
    for each in sorted(connections, key=lambda each: -each.unanswered):
        if not each.counted:
            continue
        waited, crowded = each.unanswered >= _PATIENCE_SECONDS, everywhere > bounds.crowded
        beyond_its_share = left[each.network] > bounds.for_network
        if (beyond_its_share or crowded) and (waited or (beyond_its_share and crowded)):
            left[each.network] -= 1
            everywhere -= 1
            yield each


def _never_ending(connections: list[Open]) -> Iterator[Open]:
    return (each for each in connections if each.unanswered >= _LAST_ANSWER_SECONDS)


def _connections(bounds: Bounds) -> Iterator[Open]:
    """Connections of this process on the port. Each through a file of its own, so that no other can take its place."""
    for file in list(_FILES.iterdir()):
        copy = _copy_of(int(file.name))
        connection = None if copy is None else _looked_at(copy, bounds)
        if connection is not None:
            yield connection
        elif copy is not None:
            copy.close()


def _copy_of(number: int) -> socket.socket | None:
    """Another file that leads to the same socket; None where there is none, or not any more."""
    try:
        copy = os.dup(number)
    except OSError:
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None


def _looked_at(copy: socket.socket, bounds: Bounds) -> Open | None:
    """What is known of a socket; None where it is no connection of a client's."""
    try:
        if copy.family not in {socket.AF_INET, socket.AF_INET6} or copy.getsockname()[1] != bounds.port:
            return None
        address = str(copy.getpeername()[0])
        known = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:
        return None
    (sent,) = struct.unpack_from("=I", known, _LAST_SENT_AT)
    return Open(copy, network_of(address), not is_listed(address, bounds.proxies), sent / 1000)


@contextlib.contextmanager
def _closing(connection: Open) -> Iterator[Open]:
    with connection.file:
        yield connection


async def _shed_always(bounds: Bounds, stopping: asyncio.Event) -> None:
    """Look again and again, and take no more than a quarter of the time for it."""
    while True:
        began = time.monotonic()
        cut = await asyncio.to_thread(shed, bounds, stopping=stopping.is_set())
        if cut and not stopping.is_set():
            (network, most), *_ = cut.most_common(1)
            _log.warning("connections_shed", count=cut.total(), networks=len(cut), most_of=network, of_it=most)
        await asyncio.sleep(max(_LOOK_SECONDS, 3 * (time.monotonic() - began)))
