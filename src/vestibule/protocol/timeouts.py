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
        self._held: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, fault: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._over and (
            fault is None or isinstance(fault, Exception)
        ):  # then our shutdown of the socket caused the exception
            raise self._too_slow() from None

    def hold(self, connection: socket.socket) -> None:
        """Shut this socket down when the time is over. Replaces a socket held before, such as the one below a TLS
        socket.
        """
        with self._lock:
            self._held = connection
        if self._over:
            self._shut()

    def whole(self, pieces: Iterable[bytes]) -> bytes:
        """Return the whole body; raises `Unbounded`."""
        text = bytearray()
        for piece in pieces:
            text += piece
            if len(text) > self._most_bytes:
                raise Unbounded(f"answers more than {self._most_bytes} bytes")
            if self._over:
                raise self._too_slow()
        return bytes(text)

    def _end(self) -> None:
        self._over = True
        self._shut()

    def _shut(self) -> None:
        with self._lock, suppress(OSError):  # it may be closed already
            if self._held is not None:
                # Not `SSLSocket.shutdown`, which would leave the reading thread without its TLS.
                socket.socket.shutdown(self._held, socket.SHUT_RDWR)

    def _too_slow(self) -> Unbounded:
        return Unbounded(f"has not finished its answer after {self._seconds:.0f} seconds")
