"""Call a function at a stop signal, in addition to the handler of the server library (granian, uvicorn).

That handler waits until open responses end. The function can end them, or report that the process is not ready.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

LEAVE = signal.SIGUSR1
"""`vestibule serve` sends its workers this before SIGTERM: they report that they are not ready, and go on answering."""
TO_STOP = (signal.SIGTERM, signal.SIGINT)
_ALL_SIGNALS = (*TO_STOP, LEAVE)
SignalHandler = Callable[[int, FrameType | None], None]


@contextmanager
def on_stop_signal(stop: Callable[[], None], numbers: Sequence[signal.Signals] = _ALL_SIGNALS) -> Iterator[None]:
    """Call `stop` in this loop at these signals, by default SIGTERM, SIGINT and `LEAVE`, while the block lasts.

    Earlier handlers are called too. An event loop that handles a signal still gets it, because it reads signals from a
    file descriptor, not from Python's handler.
    """
    if threading.current_thread() is not threading.main_thread():  # Python allows handlers only in the main thread
        yield
        return
    earlier_handlers = {number: signal.getsignal(number) for number in numbers}
    handler = _calling(stop, earlier_handlers)
    for number in numbers:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in earlier_handlers.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, earlier)


@contextmanager
def reaching_main_thread() -> Iterator[None]:
    """Block all signals while the block lasts. The threads that it starts get none, so that all reach the main thread.
    Also a decorator, `@reaching_main_thread()`, for a function that starts threads.

    The kernel gives a signal to any thread if it was sent while the process was stopped (SIGSTOP, Ctrl+Z). Python calls
    handlers in the main thread only. While that waits for a lock, a signal given to another thread does not wake it:
    the signal would be lost.
    """
    earlier = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)


def _calling(stop: Callable[[], None], earlier_handlers: Mapping[signal.Signals, Any]) -> SignalHandler:
    """Return a handler that has this loop call `stop`, and then calls the earlier handler of the signal, if any."""
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        earlier = earlier_handlers[signal.Signals(number)]
        if callable(earlier):  # not SIG_DFL or SIG_IGN
            earlier(number, frame)

    return handle
