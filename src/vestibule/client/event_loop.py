"""The event loop of the kit's background. Looking up a host name never keeps the process from ending."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from vestibule.protocol.tasks import SharedWork

_THREAD_NAME = "vestibule-client-lookup"
_OPTIONS = ("family", "type", "proto", "flags")


class BackgroundLoop(asyncio.SelectorEventLoop):
    """An event loop that looks host names up on daemon threads, one for each name at a time.

    asyncio's own loops use threads that the interpreter waits for when it ends. With a resolver that does not answer, a
    service would take half a minute to stop, although the background has ended.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lookups = SharedWork[tuple[Any, ...], Any]()

    async def getaddrinfo(self, host: Any, port: Any, **options: int) -> Any:
        """Return what `socket.getaddrinfo` does; raises as it does."""
        query = (host, port, *(options.get(name, 0) for name in _OPTIONS))
        return await self._lookups.result(query, lambda: self._look_up(query))

    async def _look_up(self, query: tuple[Any, ...]) -> Any:
        answer: asyncio.Future[Any] = self.create_future()
        threading.Thread(target=self._ask_resolver, args=(query, answer), name=_THREAD_NAME, daemon=True).start()
        return await answer

    def _ask_resolver(self, query: tuple[Any, ...], answer: "asyncio.Future[Any]") -> None:
        settle: Callable[[], None]
        try:
            settle = partial(answer.set_result, socket.getaddrinfo(*query))
        except Exception as fault:  # raised in the tasks that wait for the answer
            settle = partial(answer.set_exception, fault)
        with contextlib.suppress(RuntimeError):  # the loop is closed, so no task waits
            self.call_soon_threadsafe(_settle_if_awaited, answer, settle)


def _settle_if_awaited(answer: "asyncio.Future[Any]", settle: Callable[[], None]) -> None:
    if not answer.done():  # it is cancelled if the task that waited has given up
        settle()
