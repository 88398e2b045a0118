"""Wrap the standard streams of a command, which may be closed, full, or abandoned by their reader.

Results go to standard output: if one cannot be written, the command fails. Notes go to standard error: if one cannot be
written, the command goes on.
"""

import errno
import os
import select
import stat
import sys
from typing import Any, TextIO

from vestibule.process.operator_errors import OperatorError

_NOTHING_DONE = "so nothing was done: a result that is shown only once would be lost"


class OutputLost(OperatorError):
    """A result could not be written. The message says why; it is empty if the reader closed the pipe (`| head`)."""


def prepare() -> None:
    """Wrap the standard streams. Open the null device for closed ones, so that no other file gets their number."""
    # Open 1, standard output, read-only too: writing a result to it must fail.
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        _open_if_closed(number, flags)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    if sys.stdout is None:
        # Not on descriptor 1, which is read-only now: closing this stream at the end must not fail.
        sys.stdout = _Output(os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"), closed=True)
    elif sys.stdout is sys.__stdout__:  # unless a test has replaced it
        sys.stdout = _Output(sys.__stdout__, closed=False)
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _Notes(sys.stderr or os.fdopen(2, "w", closefd=False))


def require_output() -> None:
    """Raise `OutputLost` if standard output cannot be written. Call this before creating a secret to show once."""
    if isinstance(sys.stdout, _Output):
        sys.stdout.require()


def _open_if_closed(number: int, flags: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        # The lowest free number is `number`, because `prepare` begins at 0. Child processes inherit it, as they would
        # the stream.
        os.set_inheritable(os.open(os.devnull, flags), True)


class _Guarded:
    """Wraps a text stream. Subclasses replace `write` and `flush`; the other members are the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Output(_Guarded):
    """Standard output: raises `OutputLost` for what cannot be written."""

    def __init__(self, stream: TextIO, *, closed: bool) -> None:
        super().__init__(stream)
        self._closed = closed

    def require(self) -> None:
        """Raise `OutputLost` if writing zero bytes fails, if `poll` shows that the reader is gone, or if the disk of a
        file is full.
        """
        if self._closed:
            raise OutputLost(f"the standard output is closed, {_NOTHING_DONE}")
        try:
            os.write(self._stream.fileno(), b"")
            self._require_space()
        except OSError as fault:
            raise OutputLost(f"the standard output cannot be written: {fault.strerror}, {_NOTHING_DONE}") from None
        if self._reader_is_gone():
            raise OutputLost(f"nobody reads the standard output any more, {_NOTHING_DONE}")

    def _require_space(self) -> None:
        """Raise OSError if standard output is a file on a full disk. Writing zero bytes to such a file succeeds."""
        descriptor = self._stream.fileno()
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and os.fstatvfs(descriptor).f_bavail == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _reader_is_gone(self) -> bool:
        """Return whether standard output is a pipe that its reader has closed (POLLERR in poll(2))."""
        poller = select.poll()
        poller.register(self._stream.fileno(), select.POLLOUT)
        return any(event & select.POLLERR for _, event in poller.poll(0))

    def write(self, text: str) -> int:
        if self._closed:
            raise OutputLost("the standard output is closed, so the result is lost")
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
    """Standard error: drops what cannot be written."""

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
    # Discard what is still in the buffer: let descriptor 1 be the null device. Otherwise, writing the buffer at the end
    # of the process would fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if fault.errno == errno.EPIPE:
        return OutputLost("")
    return OutputLost(f"the standard output cannot be written, so the result is lost: {fault.strerror}")
