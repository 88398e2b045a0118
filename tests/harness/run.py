"""One run of the tests: a folder in which all has its place that it makes, what its processes share, and its end."""

import atexit
import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

from tests.harness import guard

_NAME = "VESTIBULE_TEST_RUN"
_END_SECONDS = 60
_MEMORY, _ROOM_BYTES = Path("/dev/shm"), 4 << 30
_guards: "list[subprocess.Popen[bytes]]" = []


@cache
def folder() -> Path:
    """The run's folder, where temporary folders are made from now on. Its guard removes it when this process ends,
    with every process that was started with it; the workers of pytest-xdist are in their controller's run.
    """
    if given := os.environ.get(_NAME):
        return Path(given)
    made = Path(tempfile.mkdtemp(prefix="vestibule-run-"))
    made.chmod(0o755)  # PostgreSQL runs as somebody else where root runs the tests
    _guards.append(
        subprocess.Popen([sys.executable, guard.__file__, str(made)], stdin=subprocess.PIPE, start_new_session=True)
    )
    atexit.register(end)
    os.environ[_NAME] = os.environ["TMPDIR"] = tempfile.tempdir = str(made)
    return made


def end() -> None:
    """Nothing of the run is left when this returns, if it is this process's own."""
    while _guards:
        _guards.pop().communicate(timeout=_END_SECONDS)
        tempfile.tempdir = None
        for name in (_NAME, "TMPDIR"):
            os.environ.pop(name, None)
        folder.cache_clear()


def pytest_configure() -> None:
    """pytest's hook: everything has its place from the beginning, `tmp_path` too."""
    if _NAME not in os.environ:
        tempfile.tempdir = _place_in_memory()
    folder()


def _place_in_memory() -> str | None:
    """Return a file system in memory with room for all, or None. For each database that a test makes, PostgreSQL makes
    and deletes three hundred files, which on ext4 is a fifth of what the whole suite costs.
    """
    with suppress(OSError):
        found = os.statvfs(_MEMORY)
        room = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available // 2)
        if room > _ROOM_BYTES and not found.f_flag & os.ST_NOEXEC and os.access(_MEMORY, os.W_OK):
            return str(_MEMORY)
    return None


def pytest_unconfigure() -> None:
    """pytest's hook: red or green, or interrupted."""
    end()


def once(name: str, make: Callable[[], str]) -> str:
    """What the first process of the run made under a name, for all of them."""
    made = folder() / f"{name}.made"
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_text(make())
        return made.read_text()
