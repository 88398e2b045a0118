"""The three streams that somebody else gave this process: perhaps closed, full, or left by who read them.

What goes to the output is a result: if it is lost, the command has failed. What goes to the error stream is said to
whoever may listen, and stops nothing.
"""

import errno
import os
import select
import sys
from typing import Any, TextIO

from vestibule.process.operator_errors import OperatorError

_NOTHING_DONE = "so that nothing was done: what is shown only once would be lost"


class OutputLost(OperatorError):
    """A result could not be written. The message says why; it is empty where the reader went by itself (`| head`)."""


def prepare() -> None:
    """Fill the places of closed streams, which files and sockets would be opened in, and guard those that are there."""
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):  # writing to 1 then fails, and is told
        _fill(number, flags)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    if sys.stdout is None:
        sys.stdout = _Output(os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"), closed=True)
    elif sys.__stdout__ is not None and sys.stdout is sys.__stdout__:  # a test's own is left alone
        sys.stdout = _Output(sys.__stdout__, closed=False)
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _Notes(sys.stderr or os.fdopen(2, "w", closefd=False))


def require_output() -> None:
    """Raises `OutputLost` where it is known that nothing can be written to the output: before something is done whose
    result is shown once.
    """
    if isinstance(sys.stdout, _Output):
        sys.stdout.look()


def _fill(number: int, flags: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        os.set_inheritable(os.open(os.devnull, flags), True)  # the lowest number that is free


class _Guarded:
    """A text stream that is written to with care; everything else of it is as it was."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Output(_Guarded):
    def __init__(self, stream: TextIO, *, closed: bool) -> None:
        super().__init__(stream)
        self._closed = closed

    def look(self) -> None:
        """Raises `OutputLost`; writes nothing, of which a full device and one that is only read complain."""
        if self._closed:
            raise OutputLost(f"the standard output is closed, {_NOTHING_DONE}")
        number = self._stream.fileno()
        try:
            os.write(number, b"")
        except OSError as fault:
            raise OutputLost(f"the standard output cannot be written: {fault.strerror}, {_NOTHING_DONE}") from None
        waiting = select.poll()
        waiting.register(number, select.POLLOUT)
        if any(what & select.POLLERR for _, what in waiting.poll(0)):
            raise OutputLost(f"nobody reads the standard output any more, {_NOTHING_DONE}")

    def write(self, text: str) -> int:
        if self._closed:
            raise OutputLost("the standard output is closed, so that the result is lost")
        try:
            return self._stream.write(text)
        except OSError as fault:
            raise _lost(fault) from None

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as fault:
            raise _lost(fault) from None


class _Notes(_Guarded):
    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            return


def _lost(fault: OSError) -> OutputLost:
    # What is still in the buffer goes nowhere, instead of failing once more at the end of the process.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if fault.errno == errno.EPIPE:
        return OutputLost("")
    return OutputLost(f"the standard output cannot be written, so that the result is lost: {fault.strerror}")
