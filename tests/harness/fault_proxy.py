"""Run a TCP proxy that breaks connections on command as networks do, and mends them again."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from tests.harness.servers import free_port

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds: close() sends RST


class Fault(Enum):
    """What the proxy does to every connection."""

    NONE = "passes everything on"
    BLACK_HOLE = "keeps connections open and takes bytes, but passes none on: a half-open link"
    CUT = "ends connections and accepts no new ones"
    REFUSE = "ends connections and does not listen"
    RESET = "resets connections, old and new"
    DELAY = "passes everything on, each piece late by a number of seconds"
    CUT_AFTER_BYTES = "passes a number of bytes of an answer on, then ends the connection"
    KEEP_ANSWER = "passes requests on, and keeps the connection open without the answer"
    CUT_ANSWER = "passes requests on, and ends the connection in place of the answer"


_ENDS_CONNECTIONS = {Fault.CUT, Fault.REFUSE, Fault.RESET}


class _Cut(OSError):
    """The fault says that this connection ends here."""


class FaultProxy:
    """Stands in front of a server, in a thread of its own, so that tests may block. `answers_kept` counts the pieces of
    answers that `KEEP_ANSWER` held back.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target_port = target_port
        self.answers_kept = 0
        self._fault = Fault.NONE
        self._amount = 0.0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def set(self, fault: Fault, amount: float = 0.0) -> None:
        """Begin a fault, for open connections and new ones. `amount`: seconds for `DELAY`, bytes for
        `CUT_AFTER_BYTES`.
        """
        asyncio.run_coroutine_threadsafe(self._set(fault, amount), self._loop).result()

    def aim(self, target_port: int) -> None:
        """Lead new connections to another server."""
        self._target_port = target_port

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _set(self, fault: Fault, amount: float) -> None:
        self._fault, self._amount = fault, amount
        if fault is Fault.REFUSE:
            self._stop_listening()
        elif self._server is None:
            await self._listen()
        if fault in _ENDS_CONNECTIONS:
            self._cut()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _close(self) -> None:
        self._stop_listening()
        self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _cut(self) -> None:
        for writer in self._writers:
            self._end(writer)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        wire = writer.get_extra_info("socket")
        if self._fault is Fault.RESET and wire is not None and wire.fileno() >= 0:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        self._writers.add(writer)
        try:
            if self._fault in _ENDS_CONNECTIONS:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
            ends.append(back)
            self._writers.add(back)
            await asyncio.gather(self._pump(reader, back, answers=False), self._pump(there, writer, answers=True))
        except (OSError, asyncio.CancelledError):
            pass  # the connection ends, which is all that is left to do
        finally:
            for end in ends:
                self._end(end)
                self._writers.discard(end)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, answers: bool) -> None:
        passed = 0
        while piece := await source.read(65_536):
            if self._fault is Fault.BLACK_HOLE:
                continue
            if answers and self._fault is Fault.KEEP_ANSWER:
                self.answers_kept += 1
                continue
            if self._fault is Fault.DELAY:
                await asyncio.sleep(self._amount)
            if answers and self._fault is Fault.CUT_ANSWER:
                raise _Cut
            if answers and self._fault is Fault.CUT_AFTER_BYTES and passed + len(piece) > self._amount:
                sink.write(piece[: max(int(self._amount) - passed, 0)])
                await sink.drain()
                raise _Cut
            sink.write(piece)
            await sink.drain()
            passed += len(piece)
        sink.close()


@contextmanager
def in_front_of(target_port: int) -> Iterator[FaultProxy]:
    """Yield a proxy in front of a port of loopback, and stop it after the block."""
    proxy = FaultProxy(target_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
