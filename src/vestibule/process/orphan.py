"""End a worker whose parent was killed, by `kill -9` or because the machine ran out of memory. The orphan would go on
answering, keep the port from the next server, and not get the signals that stop the server.
"""

import os
import signal
import threading
import time

import structlog

from vestibule.process.signals import reaching_main_thread

_LOOK_SECONDS = 1.0  # between two looks at the parent
_log = structlog.get_logger(__name__)


def end_with_parent(parent: int, finish_seconds: float) -> None:
    """Watch the parent process, in a thread. When it is gone, stop this process as by SIGTERM, and kill it if it still
    runs after `finish_seconds`.
    """
    with reaching_main_thread():
        threading.Thread(target=_watch, args=(parent, finish_seconds), name="parent", daemon=True).start()


def _watch(parent: int, finish_seconds: float) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    _log.error("parent_ended", parent=parent, hint="this worker finishes its requests and ends; start the server again")
    end = time.monotonic() + finish_seconds
    while time.monotonic() < end:  # repeated, because a worker that is still starting does not heed the first
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
