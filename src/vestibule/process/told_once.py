"""granian's workers, told to stop as often as anybody likes.

A worker of granian reads one such signal, keeps a second, and at the third waits for room for it with the interpreter's
lock in its hand: nothing in the process goes on, and what is under way is never answered. Its parent says it again and
again, since a worker that has just been forked does not hear the first. So the worker passes on the first that it
hears, and no other.
"""

import asyncio
import sys
from types import ModuleType

from vestibule.process.signals import TO_STOP


def pass_on_the_first() -> None:
    """In a worker of granian, before it asks for its signals; of another server program it changes nothing."""
    signals = sys.modules.get("granian._signals")
    if signals is not None:
        _replace(signals)


def _replace(signals: ModuleType) -> None:
    def set_loop_signals(loop: asyncio.AbstractEventLoop) -> object:
        worker_signal, told = signals.WorkerSignal(), False

        def tell() -> None:
            nonlocal told
            if not told:
                told = True
                worker_signal.set()

        for number in TO_STOP:
            loop.add_signal_handler(number, tell)
        return worker_signal

    signals.set_loop_signals = set_loop_signals  # type: ignore[attr-defined]
