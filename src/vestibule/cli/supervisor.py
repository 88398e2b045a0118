"""The parent of the worker processes: granian's, with a word when it listens, and an end in three steps.

SIGTERM: the workers are told that they leave, and go on answering while balancers notice; then they are told to stop,
and finish what they have begun; what does not finish in `FINISH_SECONDS` is killed. SIGINT leaves the first step out,
and so does a second SIGTERM.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from granian.server.mp import MPServer

from vestibule.process.signals import LEAVE

FINISH_SECONDS = 30
_SAY_AGAIN_SECONDS = 0.2
_LAST_WORD_SECONDS = 1


class Supervisor(MPServer):
    """Calls `welcome` on a thread once the workers are started; `leaving_seconds` is how long they take leave."""

    def __init__(self, welcome: Callable[[], None], leaving_seconds: int, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._welcome = threading.Thread(target=welcome, daemon=True)
        self._leaving_seconds = leaving_seconds

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        # Only now that the workers are forked: a lock this thread held at the fork, such as that of a module being
        # imported, would stay locked in the worker for ever.
        signal.signal(LEAVE, signal.SIG_IGN)  # inherited: it would end a worker that does not listen for it yet
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        self._welcome.start()

    def signal_handler_interrupt(self, number: int, *frame: Any) -> None:
        if number == signal.SIGINT or self.interrupt_signal:
            self._leaving_seconds = 0
        super().signal_handler_interrupt(number, *frame)  # type: ignore[no-untyped-call]

    def shutdown(self, exit_code: int = 0) -> None:
        self._take_leave()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]

    def _take_leave(self) -> None:
        # A worker that is not up yet does not hear it, so it is said again; one that has ended shortens nobody's leave.
        end = time.monotonic() + self._leaving_seconds
        while self.interrupt_signal and self._leaving_seconds and (left := end - time.monotonic()) > 0:
            self._tell_workers_to_leave()
            self.main_loop_interrupt.clear()
            self.main_loop_interrupt.wait(min(left, _SAY_AGAIN_SECONDS))

    def _tell_workers_to_leave(self) -> None:
        workers: list[Any] = self.wrks  # untyped in granian
        for worker in workers:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(worker.inner.pid, LEAVE)

    def _stop_workers(self) -> None:
        # A worker that has just been forked still has its parent's handler, which swallows the signal, and would be
        # waited for until it is killed. So it is said again until it is heard; a worker that heard it goes on draining,
        # and passes on no second one (vestibule.process.first_signal).
        workers: list[Any] = self.wrks
        end = time.monotonic() + FINISH_SECONDS
        while any(worker.is_alive() for worker in workers) and time.monotonic() < end:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.join(_SAY_AGAIN_SECONDS)
        self.workers_kill_timeout = _LAST_WORD_SECONDS
        super()._stop_workers()  # type: ignore[no-untyped-call]
