"""F31 to F36: too much at once, logs that cannot be written, stalled and malformed requests, everybody back at once."""

import asyncio
import os
import time
from collections import Counter
from contextlib import suppress

from measure.faults.cell import Cell, Run
from measure.faults.flood import flood
from measure.faults.load import a_stranger
from measure.faults.node import Node
from measure.faults.stand import Needs
from measure.faults.timeline import p99
from measure.wire import Asker, request

_BROWSERS = 100
_LOOK_SECONDS = 0.5
_READS = ("read by cookie", "read by Bearer")
_HASH_MIB, _HASHES, _REST_MIB = 19, 2, 64
_HOSTILE = (
    b"GET / HTTP/1.1\r\nHost: a\r\n\x00\r\n\r\n",
    b"GET /api/users/me HTTP/1.1\r\nHost : a\r\n\r\n",
    b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
)


def _reads_p99(run: Run, since: float, until: float) -> float:
    reads = [r for r in run.load.timeline.between(since, until) if r.kind in _READS]
    return p99(reads) or 0.0


async def overloaded(run: Run) -> None:
    """Flood the servers with sign-ins, and measure the reads beside them and the memory."""
    line = run.load.timeline
    usual = _reads_p99(run, 0.0, time.monotonic())
    resident = most = (await run.stand.footprint()).megabytes
    async with run.fault():
        flooding = asyncio.create_task(flood(a_stranger().email, run.times, run.seconds, run.stand.ports))
        while not flooding.done():
            most = max(most, (await run.stand.footprint()).megabytes)
            await asyncio.wait([flooding], timeout=_LOOK_SECONDS)
    found = await flooding
    refused = found.outcomes.get("503", 0) + found.outcomes.get("429", 0)
    run.expect("what is too much is shed with 429 or 503", found.outcomes, refused > 0)
    slowest = sorted(found.shed)[int(len(found.shed) * 0.99)] if found.shed else 0.0
    run.expect("shed within a second (p99)", f"{slowest:.2f} s", bool(found.shed) and slowest < 1)
    during = _reads_p99(run, line.begun or 0.0, line.ended or 0.0)
    bound = max(2 * usual, 0.05)
    run.expect("p99 of reads below twice the usual", f"{usual * 1e3:.0f} -> {during * 1e3:.0f} ms", during < bound)
    room = 2 * (_HASHES * _HASH_MIB + _REST_MIB)
    run.expect(
        f"memory within {room} MiB of before, both servers", f"+{most - resident:.0f} MB", most - resident < room
    )


async def log_blocked(run: Run) -> None:
    """Let the server's output go into a full pipe that nobody reads."""
    (node,) = run.stand.nodes
    node.kill()
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write_end, b"x" * 4096)
    os.set_blocking(write_end, True)
    blocked = Node(node.folder, node.settings | {"VESTIBULE_LOG_LEVEL": "info"})
    blocked.port = node.port
    await blocked.start(wait=False, output=write_end)
    try:
        async with run.fault():
            await run.use(run.seconds)
            answered = run.statuses(skip=3.0)
    finally:
        blocked.close()
        os.close(read_end)
        os.close(write_end)
    await node.start()
    good = sum(answered[status] for status in ("200", "201"))
    run.expect("requests go on while the log cannot be written", dict(answered), good > 0.9 * sum(answered.values()))


async def stalled(run: Run) -> None:
    """Hold many connections that send a header line now and then, and send big bodies and malformed requests."""
    line = run.load.timeline
    usual = _reads_p99(run, 0.0, time.monotonic())
    held: list[asyncio.StreamWriter] = []
    async with run.fault():
        end = time.monotonic() + run.seconds
        for number in range(run.times):
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", run.stand.ports[number % 2])
                writer.write(b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\n")
                held.append(writer)
        while time.monotonic() < end:
            for writer in held:
                with suppress(OSError):
                    writer.write(b"X-A: b\r\n")
            for hostile in _HOSTILE:
                await _throw(run.stand.ports[0], hostile)
            await _throw(run.stand.ports[1], _big())
            await asyncio.sleep(0.5)
        for writer in held:
            writer.transport.abort()
    during = _reads_p99(run, line.begun or 0.0, line.ended or 0.0)
    bound = max(2 * usual, 0.05)
    run.expect(
        "p99 of others' reads below twice the usual", f"{usual * 1e3:.0f} -> {during * 1e3:.0f} ms", during < bound
    )
    failed = {o: n for o, n in run.statuses().items() if o in {"reset", "timeout", "503", "refused"}}
    run.expect("nobody else's request fails", failed or "none", not failed)


def _big() -> bytes:
    head = (
        b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    )
    return head + b"a" * 100_000


async def _throw(port: int, sent: bytes) -> None:
    with suppress(OSError, TimeoutError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(1):
            await reader.read(200)
        writer.transport.abort()


async def everybody_returns(run: Run) -> None:
    """Restart both servers, which then have nothing in memory, and send everybody's tokens at once, many times each."""
    usual = _reads_p99(run, 0.0, time.monotonic())
    tokens = [person.access for person in run.load.people if person.access]
    for node in run.stand.nodes:
        node.kill()
    await asyncio.gather(*(node.start() for node in run.stand.nodes))
    times: list[float] = []
    statuses: Counter[int] = Counter()

    async def come_back(browser: int) -> None:
        """Send the requests of one browser's share, one after the other, on one connection."""
        async with Asker(run.stand.ports[browser % 2]) as asker:
            for number in range(browser, run.times, _BROWSERS):
                begun = time.monotonic()
                answer = await asker.ask(request("GET", "/api/users/me", token=tokens[number % len(tokens)]))
                statuses[answer.status] += 1
                times.append(time.monotonic() - begun)

    async with run.fault():
        await asyncio.gather(*map(come_back, range(_BROWSERS)))
    run.expect("everybody is let in, nobody meets 500", dict(statuses), set(statuses) <= {200, 401})
    slowest = sorted(times)[int(len(times) * 0.99)]
    run.expect("p99, all at once", f"{slowest * 1e3:.0f} ms (usual: {usual * 1e3:.0f} ms)", slowest < 5)


CELLS = (
    Cell(
        "F31",
        "500 sign-ins at once",
        "floods of 500 for a minute, beside the load",
        "shed within a second; reads unharmed",
        overloaded,
        text=500,
        full=500,
        short=150,
        seconds=30,
        text_seconds=60,
        short_seconds=5,
        recovery=5.0,
        unit="at once",
    ),
    Cell(
        "F33",
        "log blocked",
        "the output is a pipe that nobody reads",
        "requests go on; a counter of dropped lines",
        log_blocked,
        needs=Needs(servers=1),
        seconds=20,
        short_seconds=8,
    ),
    Cell(
        "F35",
        "stalled and malformed requests",
        "1,000 stalled, 100 kB bodies, malformed HTTP",
        "p99 of others below twice",
        stalled,
        text=1000,
        full=1000,
        short=200,
        seconds=30,
        short_seconds=5,
        unit="connections",
    ),
    Cell(
        "F36",
        "everybody returns at once",
        "both servers restarted cold, requests of all at once",
        "no stampede, no 500",
        everybody_returns,
        text=10_000,
        full=10_000,
        short=500,
        unit="requests",
    ),
)
