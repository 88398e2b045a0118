"""What a run of the tests starts ends with it, even if the run fails, is interrupted or is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.docs.paths import ROOT
from tests.harness import run, servers
from tests.harness.process import interruptible
from tests.harness.servers import wait_until

GREEN, RED = "return", "raise AssertionError"
HANGS = "import threading; threading.Event().wait()"
BESIDE = """\
import os, subprocess, sys, tempfile
from pathlib import Path
from tests.harness import run, servers

def test_starts_what_outlives_it(tmp_path):
    {postgresql}
    servers.redis()
    tempfile.mkdtemp()
    command = [sys.executable, "-c", "import threading; threading.Event().wait()"]
    run.kept = [
        subprocess.Popen(command, start_new_session=True, cwd="/"),
        subprocess.Popen(command, start_new_session=True, cwd=tmp_path, env={{"PATH": os.environ["PATH"]}}),
    ]
    Path({told!r}).write_text(str(run.folder()))
    {then}
"""


@dataclass
class Inner:
    """Another run of pytest, with its folder."""

    process: "subprocess.Popen[bytes]"
    folder: Path

    def started(self) -> list[psutil.Process]:
        """Return every process that names the run's folder, except the run itself."""
        return [p for p in psutil.process_iter() if p.pid != self.process.pid and self._has_to_do_with(p)]

    def _has_to_do_with(self, process: psutil.Process) -> bool:
        try:
            return str(self.folder) in " ".join([process.cwd(), *process.cmdline(), *process.environ().values()])
        except (psutil.Error, OSError):
            return False

    def leaves_nothing(self) -> None:
        wait_until(lambda: not self.folder.exists() and not self.started(), "the end of all it started", 60)


@contextmanager
def running(folder: Path, *options: str, then: str, postgresql: bool = False) -> Iterator[Inner]:
    """Start a run of pytest on `BESIDE`, and yield it once its servers run and it is about to do `then`. Kill it
    afterwards.
    """
    told = folder / "told"
    text = BESIDE.format(told=str(told), then=then, postgresql="servers.postgresql()" if postgresql else "")
    (folder / "test_inner.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "tests.harness.run", "-p", "no:cacheprovider", *options]
    around = {name: value for name, value in os.environ.items() if not name.startswith(("VESTIBULE_", "PYTEST_"))}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-c", os.devnull, f"--rootdir={folder}", str(folder / "test_inner.py")],
            cwd=ROOT, env=around, stdout=log, stderr=log, start_new_session=True,
            preexec_fn=interruptible,  # noqa: PLW1509  # no other thread of ours holds a lock
        )  # fmt: skip
    try:
        wait_until(lambda: told.exists() or process.poll() is not None, "the servers of the inner run", 240)
        assert told.exists(), (folder / "log").read_text()
        wait_until(lambda: bool(told.read_text()), "the folder of the inner run")
        yield Inner(process, Path(told.read_text()))
    finally:
        process.kill()
        process.wait()


def test_a_killed_run_leaves_nothing_though_its_workers_cannot_know(tmp_path: Path) -> None:
    """On a worker of pytest-xdist, with PostgreSQL, which is in a session of its own."""
    with running(tmp_path, "-n", "1", then=HANGS, postgresql=True) as inner:
        names = {process.name() for process in inner.started()}
        assert {"postgres", "redis-server"} <= names, names
        inner.process.kill()
        inner.process.wait()
        inner.leaves_nothing()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 2), (signal.SIGTERM, -signal.SIGTERM)])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, number: signal.Signals, status: int) -> None:
    with running(tmp_path, then=HANGS) as inner:
        assert len(inner.started()) >= len(("guard", "redis", "by its environment", "by its folder"))
        inner.process.send_signal(number)
        assert inner.process.wait(120) == status
        inner.leaves_nothing()


@pytest.mark.parametrize(("then", "status"), [(GREEN, 0), (RED, 1)], ids=["green", "red"])
def test_a_run_that_has_ended_has_left_nothing(tmp_path: Path, then: str, status: int) -> None:
    with running(tmp_path, then=then) as inner:
        assert inner.process.wait(120) == status
        assert not inner.folder.exists()
        assert inner.started() == []


def test_postgresql_shares_memory_inside_its_folder_alone() -> None:
    """PostgreSQL keeps no shared memory in /dev/shm, where it would outlive a server that is killed."""
    if "VESTIBULE_TEST_DATABASE_URL" not in os.environ:
        servers.postgresql()
        assert any((run.folder() / "postgresql" / "pg_dynshmem").iterdir())
