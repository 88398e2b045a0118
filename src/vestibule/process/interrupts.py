"""End a command quietly when somebody presses Ctrl+C (SIGINT), whatever Python is doing.

Python raises `KeyboardInterrupt`, even in the middle of an import, and prints a traceback if nobody catches it. So the
signal itself ends the process, except inside `as_exit`.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STATUS = 128 + signal.SIGINT  # as shells show a process that a signal ended


def end_quietly() -> None:
    """Let SIGINT end the process, instead of raising `KeyboardInterrupt`. Where SIGINT is ignored, as in the background
    of a shell, it stays ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def as_exit() -> Iterator[None]:
    """Let the block clean up at SIGINT: it sees `KeyboardInterrupt`, and its caller `SystemExit` with status 130.

    Changes nothing outside the main thread, or where SIGINT has a handler or is ignored.
    """
    earlier = signal.getsignal(signal.SIGINT)
    may_replace = earlier == signal.SIG_DFL and threading.current_thread() is threading.main_thread()
    try:
        if may_replace:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    except KeyboardInterrupt:
        sys.exit(_STATUS)
    finally:
        if may_replace:
            signal.signal(signal.SIGINT, earlier)
