"""Start `vestibule …` as a fork of the zygote (`zygote.py`), with the methods of `subprocess.Popen`."""

import atexit
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

from vestibule.settings.fields import Settings, name_of

_ROOT = Path(__file__).parents[2]
_KNOWN = {name_of(field) for field in Settings.model_fields.values()} | {"PATH", "PYTHONPATH", "TMPDIR", "HOME"}
# Read at imports, which the zygote has done already.
OF_IMPORTS = {"VESTIBULE_METRICS", "VESTIBULE_TRACES"}
_lock = threading.Lock()
_END_SECONDS = 20


def possible(environment: dict[str, str]) -> bool:
    """Return whether a fork behaves as a new process would: in a test, on Linux, and if no variable is set that Python
    itself reads, or that counts before `main`. Measurements never fork, because their servers start as in use.
    """
    return (
        "PYTEST_VERSION" in os.environ
        and sys.platform == "linux"
        and hasattr(os, "pidfd_open")
        and environment.keys() <= _KNOWN - OF_IMPORTS
    )


class Forked:
    """A forked process, with the methods of `subprocess.Popen`. `streams` are the descriptors of its input, output and
    errors.
    """

    def __init__(
        self, arguments: list[str], folder: Path, around: dict[str, str], streams: tuple[int, int, int]
    ) -> None:
        self.args = arguments
        self.returncode: int | None = None
        self._told, told = socket.socketpair()
        wanted = {"arguments": arguments, "folder": str(folder), "environment": around}
        with told:
            socket.send_fds(_zygote(), [json.dumps(wanted).encode()], [*streams, told.fileno()])
        self.pid: int = struct.unpack("i", self._told.recv(4))[0]

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code; raises `subprocess.TimeoutExpired`."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            with _lock:
                self._hear()
        return self.returncode

    def _hear(self) -> None:
        if self.returncode is None:
            status = self._told.recv(4)
            self.returncode = os.waitstatus_to_exitcode(struct.unpack("i", status)[0]) if status else -signal.SIGKILL
            self._told.close()


def _zygote() -> socket.socket:
    with _lock:
        return _asked()


@cache
def _asked() -> socket.socket:
    asked, answers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with answers:
        command = [sys.executable, "-m", "tests.harness.zygote", str(answers.fileno())]
        around = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "TMPDIR", "HOME") if name in os.environ}
        how = {"cwd": _ROOT, "env": around, "stdout": subprocess.DEVNULL, "start_new_session": True}
        zygote = subprocess.Popen(command, pass_fds=[answers.fileno()], **how)
    atexit.register(zygote.wait, _END_SECONDS)
    atexit.register(asked.close)  # at which the zygote ends
    return asked
