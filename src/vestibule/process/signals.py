"""Being told to stop: heard beside the server program's own handler, which waits for open answers to end."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

LEAVE = signal.SIGUSR1
"""What `vestibule serve` tells its workers before SIGTERM: go on answering, and let nobody count on you any more."""
TO_STOP = (signal.SIGTERM, signal.SIGINT)
_ALL = (*TO_STOP, LEAVE)


@contextmanager
def heard(stop: Callable[[], None], numbers: Sequence[signal.Signals] = _ALL) -> Iterator[None]:
    """Have `stop` called in this loop at SIGTERM, SIGINT or `LEAVE`, or only at these, while the block lasts. Whoever
    listened before still hears.

    An event loop takes its signals from a file descriptor and leaves Python's handler empty, so that a handler here
    takes nothing away from it.
    """
    if threading.current_thread() is not threading.main_thread():  # where Python sets no handlers
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in numbers}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        earlier = before[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    for number in numbers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, earlier in before.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, earlier)
