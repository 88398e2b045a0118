"""Manage one run of the tests: the folder for all files that it makes, what its processes share, and its end."""

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
    """Return the run's folder, in which all temporary folders are made from now on. When this process ends, its guard
    (`guard.py`) removes the folder, and every process that names it. Workers of pytest-xdist share their controller's.
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
    """End the run, if this process began it: when this returns, its processes and its folder are gone."""
    while _guards:
        _guards.pop().communicate(timeout=_END_SECONDS)
        tempfile.tempdir = None
        for name in (_NAME, "TMPDIR"):
            os.environ.pop(name, None)
        folder.cache_clear()


def pytest_configure() -> None:
    """Make the run's folder before pytest makes its own, so that `tmp_path` is in it (pytest's hook)."""
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
    """End the run, whether the tests passed, failed or were interrupted (pytest's hook)."""
    end()


def once(name: str, make: Callable[[], str]) -> str:
    """Return the text that `make` returned in the first process of the run that asked for this name: it is
    called once.
    """
    made = folder() / f"{name}.made"
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_text(make())
        return made.read_text()
