"""Bound the time and size of a server's answer: a bad server may never stop sending, or send one byte a second.

A socket timeout starts anew with each byte, and HTTP libraries read response heads of any length. So a timer on another
thread shuts the socket down when the time is over, whatever is being read.
"""

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

MAX_ANSWER_BYTES = 256_000
ANSWER_SECONDS = 5.0


class Unbounded(Exception):
    """An answer is too long or takes too long. The message continues a sentence that begins with the server's name."""


class Timeouts:
    """A context for one answer of one server, from connecting to the last byte; raises `Unbounded` at its end."""

    def __init__(self, seconds: float, most_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._seconds, self._most_bytes = seconds, most_bytes
        self._lock, self._over = threading.Lock(), False
        self._watched: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, fault: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._timer.cancel()
        # An exception after the time was over comes from our own shutdown of the socket.
        if self._over and (fault is None or isinstance(fault, Exception)):
            raise self._too_slow() from None

    def watch(self, connection: socket.socket) -> None:
        """Shut this socket down when the time is over. Replaces the socket that was watched before, such as the one
        below a TLS socket.
        """
        with self._lock:
            self._watched = connection
        if self._over:
            self._shut()

    def read_whole(self, chunks: Iterable[bytes]) -> bytes:
        """Return the whole body; raises `Unbounded`."""
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self._most_bytes:
                raise Unbounded(f"answers more than {self._most_bytes} bytes")
            if self._over:
                raise self._too_slow()
        return bytes(body)

    def _end(self) -> None:
        self._over = True
        self._shut()

    def _shut(self) -> None:
        with self._lock, suppress(OSError):  # the socket may be closed already
            if self._watched is not None:
                # `SSLSocket.shutdown` would leave the reading thread without its TLS, so call the plain socket's.
                socket.socket.shutdown(self._watched, socket.SHUT_RDWR)

    def _too_slow(self) -> Unbounded:
        return Unbounded(f"has not finished its answer after {self._seconds:.0f} seconds")
