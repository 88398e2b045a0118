"""End what a run of the tests has started when the run ends, even if the run is killed and can do nothing itself.

`python guard.py FOLDER` runs beside the run, in a session of its own, and reads its standard input, a pipe from the
run. Once the run has closed the pipe, or has ended, it stops every process that names the run's folder, and removes the
folder.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_LOOK_SECONDS = 0.05
_STOP_SECONDS = 5
_ROUNDS = 20


def main(folder: Path) -> None:
    """Wait for the end of the run, then stop its processes and remove its folder."""
    run = psutil.Process(os.getppid())
    terminals = {None, run.terminal()}
    _wait_for_the_end(run.pid)
    spared = {os.getpid(), run.pid}
    # SIGQUIT, because a PostgreSQL that is killed leaves shared memory behind.
    _stop([p for p in _of_the_run(str(folder), spared, terminals) if _name(p) == "postgres"], signal.SIGQUIT)
    for _ in range(_ROUNDS):
        left = list(_of_the_run(str(folder), spared, terminals))
        if not left:
            break
        _stop(left, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _wait_for_the_end(run: int) -> None:
    """Return once the pipe is closed, or once the run is gone although a process that it forked still holds
    the pipe.
    """
    os.set_blocking(sys.stdin.fileno(), False)
    while os.getppid() == run:
        with suppress(BlockingIOError):
            if not os.read(sys.stdin.fileno(), 1):
                return
        time.sleep(_LOOK_SECONDS)


def _of_the_run(folder: str, spared: set[int], terminals: set[str | None]) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if process.pid not in spared and _names(process, folder, terminals):
            yield process


def _names(process: psutil.Process, folder: str, terminals: set[str | None]) -> bool:
    """Return whether the process has the folder in its environment, in its arguments, or as its working directory. The
    last two are needed because servers overwrite their environment; they do not count at another terminal, where a
    person may be looking around.
    """
    with suppress(psutil.Error, OSError):
        if any(folder in value for value in process.environ().values()):
            return True
    with suppress(psutil.Error, OSError):
        return process.terminal() in terminals and folder in " ".join([process.cwd(), *process.cmdline()])
    return False


def _name(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return str(process.name())
    return ""


def _stop(processes: list[psutil.Process], number: int) -> None:
    """Send a signal to each process, and wait until they are gone, at most some seconds."""
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)
    end = time.monotonic() + _STOP_SECONDS
    while any(map(_runs, processes)) and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)


def _runs(process: psutil.Process) -> bool:
    """Return whether the process still runs. A zombie, whose parent has not read its exit code, does not."""
    with suppress(psutil.Error):
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
