"""Write log lines without blocking: a queue, and a thread that writes it out.

A pipe that nobody reads, or a full disk, would otherwise stop the whole process at the next line. Here requests go on;
lines that do not fit into the queue, or cannot be written, are dropped and counted.
"""

import os
import threading
from collections.abc import Callable
from queue import Full, Queue

MOST_WAITING = 10_000
_LAST_WORDS_SECONDS = 2.0


class QueuedStream:
    """A stream for log lines. Calls `told` with the number of dropped lines, once there is room again."""

    def __init__(self, descriptor: int, told: Callable[[int], None], most: int = MOST_WAITING) -> None:
        self.dropped = 0
        self._descriptor = descriptor
        self._told = told
        self._lines: Queue[bytes] = Queue(most)
        self._torn = False
        # A daemon: the process may end while a line is stuck.
        threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def write(self, line: str) -> None:
        """Queue a line. Never blocks, never raises; drops the line if the queue is full."""
        try:
            self._lines.put_nowait(line.encode("utf-8", "backslashreplace"))
        except Full:
            self.dropped += 1

    def flush(self) -> None:
        """Do nothing: the thread writes."""

    def drain(self, seconds: float = _LAST_WORDS_SECONDS) -> None:
        """Wait until everything is written, at most `seconds`."""
        with self._lines.all_tasks_done:
            self._lines.all_tasks_done.wait_for(lambda: not self._lines.unfinished_tasks, seconds)

    def _write_all(self) -> None:
        told = 0
        while True:
            written = self._write(self._lines.get())
            if written and self.dropped > told and self._lines.empty():
                news, told = self.dropped - told, self.dropped
                self._told(news)
            self._lines.task_done()

    def _write(self, line: bytes) -> bool:
        """Write a line; return whether all of it was written. After a partial line, start with a line break."""
        left = b"\n" + line if self._torn else line
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self.dropped += 1
            self._torn = self._torn or not line.endswith(left)
            return False
        self._torn = False
        return True
