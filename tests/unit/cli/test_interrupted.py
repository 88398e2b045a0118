"""C41: a command that is interrupted (SIGINT) or ended (SIGTERM) says nothing of Python, leaves no process and nothing
half done, and does the same work when it is run again.
"""

import asyncio
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import asyncpg
import psutil
import pytest

from tests.conftest import not_to_be_had
from tests.harness import servers
from tests.harness.backends import SECRET, postgresql_database, postgresql_template
from tests.harness.forked import Forked
from tests.harness.process import PROGRAM, environment, interruptible, run, started
from tests.harness.servers import WAIT_SECONDS, wait_until
from tests.unit.cli import every
from tests.unit.cli.cells import Said
from tests.unit.cli.test_troubles import beside
from vestibule.client import InFile, Tokens
from vestibule.storage.sql.migrate import ADVISORY_LOCK

INTERRUPTED, ENDED = 130, -signal.SIGTERM
STATUS = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: ENDED}
ATTEMPTS = 5
"""On a busy machine a command may give up waiting before it gets the signal."""


@dataclass
class Started:
    """A command that runs; what it says goes to a file."""

    process: "subprocess.Popen[bytes] | Forked"
    said: int

    @property
    def text(self) -> str:
        return os.pread(self.said, 1_000_000, 0).decode()

    def end_by(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(WAIT_SECONDS)


def starting(folder: Path, arguments: list[str], settings: dict[str, str]) -> Started:
    with TemporaryFile() as typed, TemporaryFile() as said:
        typed.write(b"a password\n")
        typed.seek(0)
        streams = (typed.fileno(), said.fileno(), said.fileno())
        return Started(started(folder, PROGRAM, arguments, settings, streams), os.dup(said.fileno()))


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that never says anything."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=100)) as listening:
        listening.settimeout(WAIT_SECONDS)
        yield listening


def sign_in_at(url: str, home: Path) -> None:
    """Keep a session that has to be refreshed first."""
    kept = home / ".config" / "vestibule" / "sessions" / f"{url.replace('://', '-').replace(':', '-')}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    InFile(kept).save(Tokens("a.b.c", "d.e.f", 0))


@pytest.mark.parametrize("number", STATUS)
def test_c41_every_command_while_it_waits(number: signal.Signals, silent: socket.socket, tmp_path: Path) -> None:
    host = f"127.0.0.1:{silent.getsockname()[1]}"
    settings = {"DATABASE_URL": f"postgresql://ada:hush-hush@{host}/x", "VESTIBULE_URL": f"http://{host}"}
    settings |= beside(tmp_path)
    faults = []
    for name in every.NEEDED.keys() - {"keys generate"}:  # which waits for nobody
        sign_in_at(f"http://{host}", tmp_path)
        for _ in range(ATTEMPTS):
            command = starting(tmp_path, every.arguments(name), settings)
            with closing(silent.accept()[0]) as connection:
                connection.settimeout(WAIT_SECONDS)
                assert connection.recv(1)  # it has asked, and waits for the answer
                status = command.end_by(number)
            if status != 1:
                break
        expected = 0 if (name, number) == ("serve", signal.SIGTERM) else STATUS[number]
        faults += Said(name, status, command.text).faults({expected})
    assert not faults, "\n".join(faults)


# A library that is loaded in the middle of the imports of each of the two programs.
@pytest.mark.parametrize(("command", "library"), [("events", "_pydantic_core"), ("login", "_ssl")])
def test_c41_while_it_starts(command: str, library: str, tmp_path: Path) -> None:
    if sys.platform != "linux":
        not_to_be_had(RuntimeError("what a process has loaded is read from /proc, which Linux has"))
    with TemporaryFile() as said:
        given = {"cwd": tmp_path, "env": environment(tmp_path, {}), "stdout": said, "stderr": said}
        with subprocess.Popen(
            [*PROGRAM, command],
            stdin=subprocess.DEVNULL,
            preexec_fn=interruptible,  # noqa: PLW1509  # no other thread of ours holds a lock
            **given,
        ) as process:
            loaded = Path(f"/proc/{process.pid}/maps")
            wait_until(lambda: library in loaded.read_text(), "the imports")
            process.send_signal(signal.SIGINT)
            assert process.wait(WAIT_SECONDS) == -signal.SIGINT
        assert os.pread(said.fileno(), 10_000, 0) == b""


def interrupted(process: "subprocess.Popen[bytes] | Forked") -> int:
    """Its end by Ctrl+C, pressed again if it goes on: Python's `input` looks at no signal between question and read."""
    for _ in range(ATTEMPTS):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(WAIT_SECONDS / ATTEMPTS)
    raise AssertionError("it goes on")


@pytest.mark.parametrize("command", [["users", "delete", every.EMAIL], ["login"], ["login", every.EMAIL]])
def test_c41_at_a_question(command: list[str], tmp_path: Path) -> None:
    ours, its = pty.openpty()
    process = started(tmp_path, PROGRAM, command, {"VESTIBULE_SECRET_KEY": SECRET}, (its, its, its))
    os.close(its)
    said = b""
    while not said.rstrip().endswith(b":"):
        said += os.read(ours, 10_000)
    assert interrupted(process) == INTERRUPTED
    os.close(ours)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[str]:
    try:
        async with postgresql_database(await asyncio.to_thread(postgresql_template)) as address:
            yield address
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
# What writes, the table that it writes to, and what it says once nothing is in its way.
WRITES = {
    "users import": ("accounts", "Imported 1 accounts; 0 were here already"),
    "copy-database": ("accounts", "Copied 0 accounts"),
    "users create": ("accounts", "has an account with the role user"),
    "services create": ("service_keys", "The key of billing"),
    "keys reencrypt": ("signing_keys", "2 keys are encrypted with VESTIBULE_SECRET_KEY"),
}
TUTORIAL = """
CREATE TABLE users (id uuid, name text, email text, photo text, verified boolean, password text, role text,
    "createdAt" timestamp, "updatedAt" timestamp, provider text);
INSERT INTO users VALUES (gen_random_uuid(), 'Ada', 'a@example.com', '', true,
'$2b$12$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu', 'user', now(), now(), 'local')"""


@pytest.mark.parametrize("name", WRITES)
async def test_c41_in_the_middle_of_its_work(name: str, database: str, tmp_path: Path) -> None:
    table, done = WRITES[name]
    settings = {"DATABASE_URL": database, **beside(tmp_path)}
    if name == "keys reencrypt":
        assert (await asyncio.to_thread(run, tmp_path, "events", **settings)).returncode == 0  # makes keys
        settings |= {"VESTIBULE_SECRET_KEY": SECRET[::-1], "VESTIBULE_SECRET_KEY_OLD": SECRET}
    other = await asyncpg.connect(database)
    try:
        await other.execute(TUTORIAL)
        async with other.transaction():
            await other.execute(f"LOCK TABLE {table} IN SHARE MODE")
            assert await _interrupted(name, tmp_path, settings, other) == INTERRUPTED
    finally:
        await other.close()
    again = await asyncio.to_thread(run, tmp_path, *every.arguments(name), **settings)
    assert again.returncode == 0, again.stderr
    assert done in again.stdout + again.stderr


async def waits(other: asyncpg.Connection) -> bool:
    """Whether somebody waits for a lock of this connection's."""
    await other.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees the same all the time
    return bool(await other.fetchval(WAITING))


async def _interrupted(name: str, folder: Path, settings: dict[str, str], other: asyncpg.Connection) -> int:
    for _ in range(ATTEMPTS):
        command = starting(folder, every.arguments(name), settings)
        async with asyncio.timeout(WAIT_SECONDS):
            while not await waits(other) and command.process.poll() is None:
                pass
        status = await asyncio.to_thread(command.end_by, signal.SIGINT)
        assert not Said(name, status, command.text).faults({INTERRUPTED, 1})
        if status != 1:
            break
    return status


@pytest.mark.parametrize("number", STATUS)
async def test_c41_while_it_migrates(number: signal.Signals, empty_database: str, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": empty_database, "VESTIBULE_SECRET_KEY": SECRET}
    other = await asyncpg.connect(empty_database)
    try:
        await other.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
        command = starting(tmp_path, ["migrate"], settings)
        async with asyncio.timeout(WAIT_SECONDS):
            while not await waits(other):
                assert command.process.poll() is None, command.text
        (migrating,) = psutil.Process(command.process.pid).children()
        assert await asyncio.to_thread(command.end_by, number) == STATUS[number]
        await asyncio.to_thread(wait_until, lambda: not migrating.is_running(), "the end of what migrates")
        assert command.text == ""
        await other.execute("SELECT pg_advisory_unlock($1)", ADVISORY_LOCK)
    finally:
        await other.close()
    if number is signal.SIGINT:
        again = await asyncio.to_thread(run, tmp_path, "migrate", **settings)
        assert "Migrated to" in again.stderr
