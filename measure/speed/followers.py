"""`python -m measure.speed.followers`: measure what services that follow the feed cost a server process."""

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.harness.process import Running, run, serving

FOLLOWERS = (0, 250, 500, 1000)
SECONDS = 10.0
_SETTLE_SECONDS = 3.0
_SETTINGS = {"VESTIBULE_FEED_FOLLOWERS": "4096", "VESTIBULE_SIGNING_ALGORITHM": "ES256"}
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Cost:
    """What the processes of a server take: resident memory in bytes, and CPU as a share of one core."""

    memory: int
    cpu: float


def main() -> None:
    """Measure, and print a line for each number of followers."""
    with TemporaryDirectory(prefix="vestibule-followers-") as name, serving(Path(name), **_SETTINGS) as server:
        key = run(Path(name), "services", "create", "measured", **_SETTINGS).stdout.strip()
        asyncio.run(_measure(server, key))


async def _measure(server: Running, key: str) -> None:
    held: list[asyncio.Task[None]] = []
    for followers in FOLLOWERS:
        while len(held) < followers:
            held.append(asyncio.create_task(_read(*await _follow(server.port, key))))
        await asyncio.sleep(_SETTLE_SECONDS)
        cost = await _cost(_listening_on(server.port))
        sys.stdout.write(f"{followers:5} followers: {cost.memory / _MEGABYTE:6.1f} MB, {cost.cpu:6.2%} of a core\n")
        if any(task.done() for task in held):
            raise SystemExit("a feed has ended")
    for task in held:
        task.cancel()


async def _follow(port: int, key: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /api/revocations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    status = await reader.readline()
    if b" 200 " not in status:
        raise SystemExit(f"not served: {status!r}")
    return reader, writer


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer):  # the writer must be kept: once it is collected, the connection ends
        while await reader.read(65_536):
            pass


def _listening_on(port: int) -> list[psutil.Process]:
    listening = [each for each in psutil.net_connections("tcp") if each.laddr.port == port and each.status == "LISTEN"]
    return [psutil.Process(pid) for pid in {each.pid for each in listening if each.pid}]


async def _cost(processes: list[psutil.Process]) -> Cost:
    before = _cpu_seconds(processes)
    await asyncio.sleep(SECONDS)
    return Cost(sum(each.memory_info().rss for each in processes), (_cpu_seconds(processes) - before) / SECONDS)


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    return sum(each.cpu_times().user + each.cpu_times().system for each in processes)


if __name__ == "__main__":
    main()
