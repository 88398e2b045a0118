"""Run a Redis server for one test: with or without persistence, to be stopped, killed and rolled back."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from redis import Redis

from tests.harness import run
from tests.harness.servers import WAIT_SECONDS, free_port, listening, redis_binary, wait_until


class RedisServer:
    """One server in a folder. By default it keeps an append-only file, which it writes to the disk once a second."""

    def __init__(self, *options: str) -> None:
        run.folder()
        self.folder = Path(tempfile.mkdtemp(prefix="vestibule-faults-redis-"))
        self.port = free_port()
        self._options = options or ("--appendonly", "yes", "--appendfsync", "everysec")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        command = [redis_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        quiet = ["--save", "", "--loglevel", "warning"]
        self._process = subprocess.Popen([*command, *quiet, *self._options, *options], stdout=subprocess.DEVNULL)
        wait_until(lambda: listening(self.port), f"Redis on port {self.port}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(WAIT_SECONDS)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def client(self) -> Redis:
        """Return a client for commands such as `FLUSHALL` and `CLIENT PAUSE`."""
        return Redis(port=self.port)

    def address(self, port: int | None = None) -> str:
        return f"redis://127.0.0.1:{port or self.port}/0"

    def remove(self) -> None:
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
