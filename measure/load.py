"""Make load: virtual users who send a request, wait for its answer and send the next, in one asyncio process."""

import asyncio
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

from measure.server import Server
from measure.wire import HOST, Answer, UnexpectedAnswer, parse

Script = Generator[bytes, Answer, None]
"""What a virtual user does: yields a request, is sent its answer, yields the next."""


@dataclass
class Measured:
    """How many requests were answered, in how many seconds by the clock and of the server's CPU. `latencies` are the
    seconds that each took; empty if they were not measured.
    """

    count: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def add(self, other: "Measured") -> None:
        """Add the figures of another round."""
        self.count += other.count
        self.seconds += other.seconds
        self.cpu_seconds += other.cpu_seconds
        self.latencies += other.latencies

    @property
    def rate(self) -> float:
        """Return the number of requests per second."""
        return self.count / self.seconds

    @property
    def cpu(self) -> float:
        """Return the microseconds of CPU, user and system, that each request cost."""
        return self.cpu_seconds / self.count * 1e6

    def percentile(self, percent: int) -> float:
        """Return the milliseconds within which `percent` percent of the answers came."""
        return percentile(self.latencies, percent) * 1e3


def percentile(times: Sequence[float], percent: int) -> float:
    """Return the smallest of the times that `percent` percent of them do not exceed (nearest rank)."""
    rank = -(-len(times) * percent // 100)
    return sorted(times)[rank - 1]


class VirtualUser:
    """Follows a script. In a later round of measurement, it goes on where the round before stopped."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.request: bytes | None = next(script, None)

    def take(self, answer: Answer) -> None:
        """Pass the answer to the script, and set `request` to what it yields next; None once the script is over."""
        try:
            self.request = self._script.send(answer)
        except StopIteration:
            self.request = None


async def measure(server: Server, users: Sequence[VirtualUser], seconds: float, expected: int) -> Measured:
    """Let the users ask for `seconds`, or until their scripts are over, and return what was measured. Raises
    `UnexpectedAnswer` if an answer has another status than `expected`, and OSError if the server hangs up.
    """
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    connections = [_Connection(user, expected, latencies) for user in users]
    for connection in connections:
        await loop.create_connection(connection.itself, HOST, server.port)
    cpu_before = server.cpu_seconds()
    begun = perf_counter()
    for connection in connections:
        connection.begin(begun + seconds)
    try:
        await asyncio.gather(*(connection.done for connection in connections))
        ended = perf_counter()
        return Measured(len(latencies), ended - begun, server.cpu_seconds() - cpu_before, latencies)
    finally:
        for connection in connections:
            connection.close()


class _Connection(asyncio.Protocol):
    """A virtual user's connection. It makes few Python calls for each request, so that the server limits the rate."""

    def __init__(self, user: VirtualUser, expected: int, latencies: list[float]) -> None:
        self._user = user
        self._expected = expected
        self._latencies = latencies
        self._received = b""
        self._sent_at = 0.0
        self._until = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def itself(self) -> "_Connection":
        """Return this object. asyncio takes a function that makes a protocol."""
        return self

    def begin(self, until: float) -> None:
        self._until = until
        self._ask(perf_counter())

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        answer = parse(self._received)
        if answer is None:
            return
        self._received = b""
        now = perf_counter()
        self._latencies.append(now - self._sent_at)
        if answer.status != self._expected:
            self.done.set_exception(UnexpectedAnswer(f"{answer.status} instead of {self._expected}: {answer.body!r}"))
            return
        self._user.take(answer)
        self._ask(now)

    def _ask(self, now: float) -> None:
        request = self._user.request
        if request is None or now >= self._until:
            self.done.set_result(None)
            return
        self._sent_at = now
        self._transport.write(request)
