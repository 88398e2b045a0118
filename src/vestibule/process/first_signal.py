"""Pass only the first stop signal on to granian's worker loop. `app` calls this in each worker.

A granian worker handles one stop signal and queues a second. At the third it blocks while it holds the GIL, so the
whole process hangs, and open requests are never answered. The parent of a worker sends the signal repeatedly, because a
worker that was just forked misses the first. So only the first signal that a worker receives is passed on.
"""

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType

from vestibule.process.signals import TO_STOP


def pass_on_only_first_signal() -> None:
    """Replace granian's function that sets signal handlers. Call this before the worker does. Does nothing under
    another server.
    """
    signals = sys.modules.get("granian._signals")
    if signals is not None:
        _replace(signals)


def _replace(signals: ModuleType) -> None:
    def set_loop_signals(loop: asyncio.AbstractEventLoop) -> object:
        """Do as granian's own function does: return an object for which the worker waits, and let a stop signal set it.
        But let only the first signal do so.
        """
        worker_signal = signals.WorkerSignal()
        handle = _only_once(worker_signal.set)
        for number in TO_STOP:
            loop.add_signal_handler(number, handle)
        return worker_signal

    signals.set_loop_signals = set_loop_signals  # type: ignore[attr-defined]


def _only_once(call: Callable[[], None]) -> Callable[[], None]:
    called = False

    def handle() -> None:
        nonlocal called
        if not called:
            called = True
            call()

    return handle
