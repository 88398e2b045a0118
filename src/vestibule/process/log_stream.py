"""Write log lines without blocking for ever. A pipe that nobody reads would block the process at the next log line.

`QueuedStream` is for a process that serves: a thread writes from a queue. `DirectStream` is for the parent of the
workers, which logs little and must not have a thread when it forks.
"""

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Full, Queue

MOST_LINES_WAITING = 10_000
_DRAIN_SECONDS = 2.0  # how long to wait for a reader


class DirectStream:
    """A stream that writes each log line at once. Drops a line that nobody reads for `seconds`, or that cannot be
    written.
    """

    def __init__(self, descriptor: int, seconds: float = _DRAIN_SECONDS) -> None:
        self._descriptor = descriptor
        self._milliseconds = int(seconds * 1000)
        self._is_partial = False  # whether the last line was written in part
        self._poller = select.poll()
        self._poller.register(descriptor, select.POLLOUT)

    def write(self, line: str) -> None:
        """Write a line. Waits for its reader at most `seconds` for each 4 kB; never raises."""
        left = ("\n" + line if self._is_partial else line).encode("utf-8", "backslashreplace")
        whole = len(left)
        with suppress(OSError):
            # A pipe that `poll` reports as writable takes PIPE_BUF bytes without blocking (pipe(7)).
            while left and self._poller.poll(self._milliseconds):
                left = left[os.write(self._descriptor, left[: select.PIPE_BUF]) :]
        if len(left) < whole:  # if nothing at all was written, `_is_partial` stays as it was
            self._is_partial = bool(left)

    def flush(self) -> None:
        """Do nothing: every line is written at once."""


class QueuedStream:
    """A stream whose lines a thread writes from a queue. Drops and counts the lines that do not fit or cannot be
    written. Once the thread can write again, it calls `on_dropped` with the number of lines that were dropped.
    """

    def __init__(self, descriptor: int, on_dropped: Callable[[int], None], most: int = MOST_LINES_WAITING) -> None:
        self.dropped = 0
        self._descriptor = descriptor
        self._on_dropped = on_dropped
        self._lines: Queue[bytes] = Queue(most)
        self._is_partial = False  # whether the last line was written in part
        # A daemon thread, so that the process can end while a write blocks.
        threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def write(self, line: str) -> None:
        """Queue a line. Never blocks, never raises; drops the line if the queue is full."""
        try:
            self._lines.put_nowait(line.encode("utf-8", "backslashreplace"))
        except Full:
            self.dropped += 1

    def flush(self) -> None:
        """Do nothing: the thread writes."""

    def drain(self, seconds: float = _DRAIN_SECONDS) -> None:
        """Wait until everything is written, at most `seconds`."""
        # As `Queue.join` does, which has no time limit.
        with self._lines.all_tasks_done:
            self._lines.all_tasks_done.wait_for(lambda: not self._lines.unfinished_tasks, seconds)

    def _write_all(self) -> None:
        reported = 0
        while True:
            written = self._write(self._lines.get())
            if written and self.dropped > reported and self._lines.empty():
                new, reported = self.dropped - reported, self.dropped
                self._on_dropped(new)
            self._lines.task_done()

    def _write(self, line: bytes) -> bool:
        """Write a line; return whether all of it was written. If the last line was written in part, begin with a line
        break.
        """
        left = b"\n" + line if self._is_partial else line
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self.dropped += 1
            self._is_partial = self._is_partial or len(left) < len(line)
            return False
        self._is_partial = False
        return True
