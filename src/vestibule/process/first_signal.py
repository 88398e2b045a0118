"""Pass on only the first signal to stop to granian's worker loop.

A worker of granian reads one such signal, keeps a second, and at the third blocks while it holds the interpreter's
lock: nothing in the process goes on, and open requests are never answered. Its parent repeats the signal, since a
worker that was just forked misses the first. So the worker passes on the first that it hears, and no other.
"""

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType

from vestibule.process.signals import TO_STOP


def pass_on_the_first() -> None:
    """Replace granian's signal handlers, before its worker asks for them. Does nothing under another server."""
    signals = sys.modules.get("granian._signals")
    if signals is not None:
        _replace(signals)


def _replace(signals: ModuleType) -> None:
    def set_loop_signals(loop: asyncio.AbstractEventLoop) -> object:
        worker_signal = signals.WorkerSignal()
        handle = _only_once(worker_signal.set)
        for number in TO_STOP:
            loop.add_signal_handler(number, handle)
        return worker_signal

    signals.set_loop_signals = set_loop_signals  # type: ignore[attr-defined]


def _only_once(call: Callable[[], None]) -> Callable[[], None]:
    calls = iter((call,))

    def handle() -> None:
        if (first := next(calls, None)) is not None:
            first()

    return handle
