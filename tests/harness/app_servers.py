"""Run a service under one of the servers that Python teams use: start it, ask every worker, and stop it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from tests.harness.process import environment, interruptible
from tests.harness.servers import SLACK_SECONDS, NotToBeHad, free_port, listening, wait_until

ROOT = Path(__file__).parents[2]
STALENESS_SECONDS = 2.0
UNSURE = 503  # a worker's answer while it does not know whether tokens were revoked
STOP_SECONDS = 10.0 + SLACK_SECONDS
_ANSWER_SECONDS = 20.0
_AT_ONCE = 4


class Start(StrEnum):
    """When the verifier of a service starts."""

    FIRST_CHECK = "by itself, at the first check of each process"
    IMPORT = "while the application is imported, and nobody waits for it"
    WAITED = "while the application is imported, which waits for it: `start()`"


@dataclass(frozen=True)
class Row:
    """A way to run a service: a program of this environment and its arguments, with {port} for the port. `stopped_by`:
    the signal at which it stops in an orderly way. `in_suite`: `make test` runs it too, and not only the nightly run.
    """

    name: str
    command: Sequence[str]
    start: Start = Start.FIRST_CHECK
    workers: int = 2
    stopped_by: int = signal.SIGTERM
    in_suite: bool = False


@dataclass
class RunningApp:
    """A service that listens. `pids`: the ids of its processes that have ever answered."""

    row: Row
    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    pids: set[int] = field(default_factory=set)

    @property
    def output(self) -> str:
        """Return what the service has written to its log so far."""
        return self.log.read_text(errors="replace")

    def wait_for(self, status: int, token: str, seconds: float, *, before: int = UNSURE) -> None:
        """Ask until `status` is the last answer of every worker. Fails at once at a status other than that and
        `before`.

        503 is always allowed: on a machine that stalled, a worker rightly doubts what it knows. Raises `TimeoutError`.
        """
        last: dict[int, int] = {}

        def all_have_answered() -> bool:
            for pid, answer in self._ask(token):
                assert answer in {status, before, UNSURE}, f"{answer} on the way to {status}, from process {pid}"
                last[pid] = answer
            self.pids |= last.keys()
            return len(last) == self.row.workers and set(last.values()) == {status}

        try:
            wait_until(all_have_answered, f"{status} from each of {self.row.workers} workers", seconds)
        except TimeoutError as fault:
            fault.add_note(f"Their last answers: {last}")
            raise

    def stop(self) -> int:
        """Stop the service as an operator does, wait until none of its processes is left, and return the exit code.

        If it does not end in time, each of its processes writes to the log where its threads are, and this raises
        `subprocess.TimeoutExpired`.
        """
        self.process.send_signal(self.row.stopped_by)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGABRT)
            self.process.wait(STOP_SECONDS)
            raise
        wait_until(lambda: not _alive(self.process.pid), "the end of its processes", SLACK_SECONDS)
        return code

    def _ask(self, token: str) -> list[tuple[int, int]]:
        """Return the process id and the status of some answers. Their connections are open at the same time, so that a
        worker that is busy with one leaves the next to another worker.
        """
        headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        with ExitStack() as opened:
            connections = [HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_SECONDS) for _ in range(_AT_ONCE)]
            for connection in connections:
                opened.enter_context(closing(connection)).connect()
            for connection in connections:
                connection.request("GET", "/", headers=headers)
            return [_told(connection.getresponse()) for connection in connections]


def _told(answer: HTTPResponse) -> tuple[int, int]:
    content = answer.read()
    assert "Process" in answer.headers, f"{answer.status} from the server, not from the service: {content!r}"
    return int(answer.headers["Process"]), answer.status


def _alive(group: int) -> bool:
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


@contextmanager
def serving_app(row: Row, folder: Path, vestibule: str, key: str) -> Iterator[RunningApp]:
    """Start the service of tests/running/services, behind the Vestibule at this URL, with a service key; kill all its
    processes after the block. Raises `NotToBeHad` if its server is not installed.
    """
    port, log = free_port(), folder / "log"
    settings = {"SERVICE_VESTIBULE": vestibule, "SERVICE_KEY": key, "SERVICE_START": row.start.name}
    settings |= {"SERVICE_STALENESS": str(STALENESS_SECONDS), "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [_program(row.command[0]), *(part.format(port=port) for part in row.command[1:])],
            cwd=folder,
            env=environment(folder, {}) | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=interruptible,  # noqa: PLW1509  # no other thread of ours holds a lock
        )
    app = RunningApp(row, process, port, log)
    try:
        wait_until(lambda: listening(port) or process.poll() is not None, row.name)
        yield app
    except BaseException as fault:
        fault.add_note(app.output)
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _program(name: str) -> Path:
    beside = Path(sys.executable).parent / name
    if not beside.is_file():
        raise NotToBeHad(f"{name}: not in this environment; the dependency group `servers` has it")
    return beside
