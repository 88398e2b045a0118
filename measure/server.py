"""Start the servers that are measured, and read the CPU and the memory of their processes.

Vestibule runs in `.venv/server`, an environment made of requirements/serve.lock alone, as users have it. The
environment of the tests has more packages, which make it larger: redis-py imports OpenTelemetry, structlog Twisted.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from measure.wire import Asker, request
from tests.harness.process import Running, starting
from tests.harness.servers import free_port

HEALTH = "/api/healthchecker"
ROOT = Path(__file__).parents[1]
SERVER_PYTHON = str(Path(sys.prefix) / "server" / "bin" / "python")
PEER_PYTHON = str(Path(sys.prefix) / "peer" / "bin" / "python")
"""Python in the environment of requirements/peer.lock, which has the libraries that Vestibule is compared with."""
_VESTIBULE = (SERVER_PYTHON, "-m", "vestibule")
# As `vestibule serve` sets granian up.
_CONNECTIONS = ("--backlog", "8192", "--backpressure", "8192")
_GRANIAN = ("--http", "1", "--no-ws", "--workers", "1", "--log-level", "warning", *_CONNECTIONS)
_LOOK_AGAIN_SECONDS = 0.005
_ANSWER_SECONDS = 60
_STOP_SECONDS = 20


class Ended(RuntimeError):
    """A server to measure is not installed, or ended before it answered."""


@dataclass(frozen=True)
class Server:
    """A process, with all that it started, that answers on a port of loopback."""

    port: int
    process: psutil.Process
    log: Path | None = None
    """The file with the server's output; None if it is not kept."""

    @classmethod
    def of(cls, running: Running) -> "Server":
        """Return the server for a Vestibule that the tests' harness started."""
        return cls(running.port, psutil.Process(running.process.pid), running.log)

    def cpu_seconds(self) -> float:
        """Return the seconds of CPU, user and system, that all processes of the server have used."""
        times = [process.cpu_times() for process in self._processes()]
        return float(sum(spent.user + spent.system for spent in times))

    def megabytes(self) -> tuple[float, float]:
        """Return the resident megabytes of the worker process, and of the process that started it."""
        parent, *children = (process.memory_info().rss / 1e6 for process in self._processes())
        return max(children), parent

    def shared_out_megabytes(self) -> float:
        """Return the PSS of all processes in megabytes: memory that several of them share counts once."""
        return float(sum(process.memory_full_info().pss for process in self._processes()) / 1e6)

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@asynccontextmanager
async def vestibule(
    folder: Path, settings: dict[str, str], program: Sequence[str] = _VESTIBULE
) -> AsyncIterator[Server]:
    """Yield a `vestibule serve` that answers, with one worker process. Stop it after the block. Raises `Ended`."""
    with starting_vestibule(folder, settings, program) as running:
        try:
            await answering(running.port, HEALTH, running.process)
        except (TimeoutError, Ended):
            raise Ended(f"Vestibule does not answer: {running.output}") from None
        yield Server.of(running)


def starting_vestibule(
    folder: Path, settings: dict[str, str], program: Sequence[str] = _VESTIBULE
) -> AbstractContextManager[Running]:
    """Start `vestibule serve` without waiting for its first answer. Raises `Ended` if `program` is not installed."""
    if not Path(program[0]).exists():
        raise Ended("The environment of the server is missing; type: make .venv/server.stamp")
    return starting(folder, program=program, **settings)


@asynccontextmanager
async def granian(
    target: str,
    interface: str,
    environment: dict[str, str],
    ready: str,
    program: Sequence[str] = (SERVER_PYTHON, "-m", "granian"),
) -> AsyncIterator[Server]:
    """Yield another application on granian, set up as Vestibule sets it up, once it answers at the path `ready`. Stop
    it after the block. Raises `Ended`.
    """
    port = free_port()
    command = [*program, "--interface", interface, "--port", str(port), *_GRANIAN, target]
    async with answering_program(command, port, environment, ready) as server:
        yield server


@asynccontextmanager
async def answering_program(
    command: Sequence[str], port: int, environment: dict[str, str], ready: str
) -> AsyncIterator[Server]:
    """Yield a program once it answers at the path `ready`, and stop it after the block. It sees only `environment` and
    PATH. Raises `Ended`.
    """
    process = psutil.Popen(
        command, cwd=ROOT, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.DEVNULL
    )
    try:
        await answering(port, ready, process)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


async def answering(port: int, path: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until an answer is below 500. Raises `Ended` if the process ends first, `TimeoutError` after a minute."""
    async with asyncio.timeout(_ANSWER_SECONDS):
        while not await _answers(port, path):
            if process.poll() is not None:
                raise Ended(f"the server ended with {process.returncode} before it answered")
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def _answers(port: int, path: str) -> bool:
    try:
        async with Asker(port) as asker:
            answer = await asker.ask(request("GET", path))
    except OSError:
        return False
    return answer.status < 500
