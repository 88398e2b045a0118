"""A TCP proxy that breaks connections the ways networks do: on command, and again whole."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from tests.harness.servers import free_port


class Fault(Enum):
    """What the proxy does to every connection."""

    NONE = "passes everything on"
    BLACK_HOLE = "keeps connections open and takes bytes, but passes none on: a half-open link"
    CUT = "ends connections and accepts no new ones"


class FaultProxy:
    """Stands in front of a server; runs in a thread of its own, so that tests may block."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target_port = target_port
        self._fault = Fault.NONE
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def set(self, fault: Fault) -> None:
        """From now on, for connections old and new."""
        self._fault = fault
        if fault is Fault.CUT:
            self._loop.call_soon_threadsafe(self._cut)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _close(self) -> None:
        self._server.close()
        self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._fault is Fault.CUT:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(back)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        except OSError:
            pass
        finally:
            writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(65_536):
            if self._fault is Fault.NONE:
                sink.write(piece)
                await sink.drain()
        sink.close()


@contextmanager
def in_front_of(target_port: int) -> Iterator[FaultProxy]:
    """A proxy in front of a port of loopback, for as long as the block lasts."""
    proxy = FaultProxy(target_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
