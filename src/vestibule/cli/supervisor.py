"""The parent of the worker processes: granian's, with a welcome message, and a shutdown in three steps.

After SIGTERM, the workers are first told that they will leave (`LEAVE`). The workers go on answering until load
balancers have noticed. Then the workers are told to stop, and finish the requests that they have begun. Workers that
still run after `FINISH_SECONDS` are killed. SIGINT skips the first step, and so does a second SIGTERM.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from granian.server.mp import MPServer

from vestibule.cli.server_log import ServerEnd
from vestibule.cli.worker import run_worker
from vestibule.process.signals import LEAVE, reaching_main_thread

FINISH_SECONDS = 30
_REPEAT_SECONDS = 0.2
_KILL_SECONDS = 1  # how long granian waits before it kills; by then our own wait, `FINISH_SECONDS`, is over
_EXPECTED_STATUS = (None, 0, -signal.SIGTERM, -signal.SIGINT)
"""Exit codes of workers that still run, or that ended because they were told to."""
_log = structlog.get_logger(__name__)


class Supervisor(MPServer):
    """Calls `welcome` on a thread once the workers are started. `leaving_seconds` is how long the first step lasts.
    Notes in `server_end` why and how the server ends.

    Methods without a docstring replace methods of granian's, which granian calls: `startup` starts the workers, and
    `_spawn_worker` makes one of them; `signal_handler_interrupt` handles SIGTERM and SIGINT; `_respawn_workers`
    replaces workers that have ended; `shutdown` ends the server, and calls `_stop_workers`.

    Granian's own attributes, which it does not document: `wrks` are the workers; `interrupt_signal` is true once a stop
    signal has come; `interrupt_children` lists the workers that ended by themselves; setting `main_loop_interrupt`
    wakes the main thread. A worker's `interrupt_by_parent` is true if its end is expected; `inner` is its process.
    """

    def __init__(
        self, welcome: Callable[[], None], leaving_seconds: int, server_end: ServerEnd, *arguments: Any, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._welcome = threading.Thread(target=welcome, daemon=True)
        self._leaving_seconds = leaving_seconds
        self._server_end = server_end

    def run(self, production: bool) -> None:
        """Serve until a stop signal. Raises SystemExit with status 1 if a worker ends again and again, or fails while
        it stops.
        """
        self.serve(spawn_target=partial(run_worker, production, os.getpid(), FINISH_SECONDS))

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        # The workers inherit this. Otherwise the signal would end a worker that has not set its own handler yet.
        signal.signal(LEAVE, signal.SIG_IGN)
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        # Start the welcome thread only after the workers are forked: a lock that it held at the fork, such as that of a
        # module being imported, would stay locked in the worker forever. `reaching_main_thread` blocks the stop signals
        # while the thread is created; the thread inherits that, so that these signals reach the main thread.
        with reaching_main_thread():
            self._welcome.start()

    def _spawn_worker(self, *arguments: Any, **options: Any) -> Any:
        worker: Any = super()._spawn_worker(*arguments, **options)
        worker._watcher = partial(self._note_end, worker)
        # `_watch` starts a thread that runs `_watcher`. As a decorator, `reaching_main_thread` wraps each call of it.
        worker._watch = reaching_main_thread()(worker._watch)
        return worker

    def _note_end(self, worker: Any) -> None:
        """Wait for a worker's end. Unless it was expected, list the worker as ended by itself, and wake the main
        thread. The list may be wrong: if a signal reaches the whole process group, a worker may end, and this thread
        list it, before our own handler has run. `_stop_workers` corrects the list.
        """
        worker.join()
        if not worker.interrupt_by_parent:
            self.interrupt_children.append(worker.idx)
            self.main_loop_interrupt.set()

    def signal_handler_interrupt(self, number: int, *frame: Any) -> None:
        self._server_end.record_signal(number)
        if number == signal.SIGINT or self.interrupt_signal:  # or this is the second signal
            self._leaving_seconds = 0
        self._expect_ends()
        super().signal_handler_interrupt(number, *frame)  # type: ignore[no-untyped-call]

    def _expect_ends(self) -> None:
        """Keep granian from taking a worker's end for a failure: a signal to the process group reaches the workers as
        well, and they end while this process still waits for load balancers.
        """
        workers: list[Any] = self.wrks
        for worker in workers:
            worker.interrupt_by_parent = True

    def _respawn_workers(self, workers: Sequence[int], *arguments: Any, **options: Any) -> None:
        self._log_ended(workers)
        super()._respawn_workers(workers, *arguments, **options)

    def _log_ended(self, workers: Sequence[int]) -> None:
        """Log which workers ended by themselves, with the exit status, negative for a signal."""
        for number in workers:
            ended = self.wrks[number].inner
            _log.error("worker_ended", worker=number + 1, pid=ended.pid, status=ended.exitcode)

    def shutdown(self, exit_code: int = 0) -> None:
        if not self.interrupt_signal:
            self._server_end.why = "a worker ended again within seconds of its replacement"
            self._log_ended(self.interrupt_children)
        self._take_leave()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]

    def _take_leave(self) -> None:
        """Tell the workers that they will leave, and wait until `leaving_seconds` are over."""
        # Only after a stop signal. Repeat `LEAVE`, because a worker that is still starting ignores it. Wait for the
        # whole time, even if a worker has ended; a second stop signal sets `_leaving_seconds` to 0.
        end = time.monotonic() + self._leaving_seconds
        while self.interrupt_signal and self._leaving_seconds and (left := end - time.monotonic()) > 0:
            self._tell_workers_to_leave()
            self.main_loop_interrupt.clear()
            self.main_loop_interrupt.wait(min(left, _REPEAT_SECONDS))

    def _tell_workers_to_leave(self) -> None:
        """Send `LEAVE` to each worker."""
        workers: list[Any] = self.wrks  # granian's list of its workers, without a type
        for worker in workers:
            with suppress(ProcessLookupError):  # the worker has just ended by itself
                os.kill(worker.inner.pid, LEAVE)

    def _stop_workers(self) -> None:
        # A worker that has just been forked still has its parent's handler, which does not end it. So repeat the signal
        # until all have ended. A worker that is draining ignores the repeats (vestibule.process.first_signal).
        workers: list[Any] = self.wrks
        end = time.monotonic() + FINISH_SECONDS
        while any(worker.is_alive() for worker in workers) and time.monotonic() < end:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.join(_REPEAT_SECONDS)
        failed = [number for number, worker in enumerate(workers) if worker.inner.exitcode not in _EXPECTED_STATUS]
        self._log_ended(failed)
        # granian exits with status 1 if any worker is listed here. After a stop signal, list only `failed`: the signal
        # may have ended other workers before our handler ran.
        self.interrupt_children = failed if self.interrupt_signal else [*self.interrupt_children, *failed]
        self._server_end.killed = sum(worker.is_alive() for worker in workers)
        self.workers_kill_timeout = _KILL_SECONDS
        super()._stop_workers()  # type: ignore[no-untyped-call]
