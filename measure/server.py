"""The processes of a server that is measured: what they cost, and what they hold.

Vestibule runs in `.venv/server`, an environment made of requirements/serve.lock alone, as users have it. In the
environment of the tests, Redis imports OpenTelemetry and structlog imports Twisted.
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
"""Of requirements/peer.lock: what Vestibule is measured beside."""
_VESTIBULE = (SERVER_PYTHON, "-m", "vestibule")
# As `vestibule serve` sets granian up.
_CONNECTIONS = ("--backlog", "8192", "--backpressure", "8192")
_GRANIAN = ("--http", "1", "--no-ws", "--workers", "1", "--log-level", "warning", *_CONNECTIONS)
_LOOK_AGAIN_SECONDS = 0.005
_ANSWER_SECONDS = 60
_STOP_SECONDS = 20


class Ended(RuntimeError):
    """A server that was to be measured is not there."""


@dataclass(frozen=True)
class Server:
    """A process, with all that it started, that answers on a port of loopback."""

    port: int
    process: psutil.Process
    log: Path | None = None
    """What it says, where that is kept."""

    @classmethod
    def of(cls, running: Running) -> "Server":
        """A Vestibule that the tests' harness started."""
        return cls(running.port, psutil.Process(running.process.pid), running.log)

    def cpu_seconds(self) -> float:
        """The user and system time that all its processes have used."""
        times = [process.cpu_times() for process in self._processes()]
        return float(sum(spent.user + spent.system for spent in times))

    def megabytes(self) -> tuple[float, float]:
        """The resident memory of its worker process, and of the process that started it."""
        parent, *children = (process.memory_info().rss / 1e6 for process in self._processes())
        return max(children), parent

    def shared_out_megabytes(self) -> float:
        """The PSS of all its processes: memory that several of them share counts once."""
        return float(sum(process.memory_full_info().pss for process in self._processes()) / 1e6)

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@asynccontextmanager
async def vestibule(
    folder: Path, settings: dict[str, str], program: Sequence[str] = _VESTIBULE
) -> AsyncIterator[Server]:
    """`vestibule serve`, answering; one worker process, as by default."""
    with starting_vestibule(folder, settings, program) as running:
        try:
            await answering(running.port, HEALTH, running.process)
        except (TimeoutError, Ended):
            raise Ended(f"Vestibule does not answer: {running.output}") from None
        yield Server.of(running)


def starting_vestibule(
    folder: Path, settings: dict[str, str], program: Sequence[str] = _VESTIBULE
) -> AbstractContextManager[Running]:
    """The same, perhaps not answering yet. Raises `Ended` where the environment is missing."""
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
    """Another application on the same server as Vestibule's, answering at `ready`; dead afterwards."""
    port = free_port()
    command = [*program, "--interface", interface, "--port", str(port), *_GRANIAN, target]
    async with answering_program(command, port, environment, ready) as server:
        yield server


@asynccontextmanager
async def answering_program(
    command: Sequence[str], port: int, environment: dict[str, str], ready: str
) -> AsyncIterator[Server]:
    """A program that answers at `ready` on a port; dead afterwards. It sees only the environment given and PATH."""
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
    """Returns at the first answer that is no fault; raises `Ended` if the process does not live to give it."""
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
