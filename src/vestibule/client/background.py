"""What goes on beside the requests: one thread with an event loop of its own, for callers in threads and in loops."""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_JOIN_SECONDS = 5.0


class Background:
    """Runs `work` until it is closed, and answers questions meanwhile. A daemon: it keeps no process alive."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._loop = asyncio.new_event_loop()
        self._work = self._loop.create_task(_until_cancelled(work))
        self._thread = threading.Thread(target=self._run, name="vestibule-client", daemon=True)
        self._thread.start()

    def ask(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """The answer, for a thread that may wait; raises `TimeoutError`."""
        asked = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return asked.result(seconds)
        except concurrent.futures.TimeoutError:
            asked.cancel()
            raise TimeoutError from None

    async def ask_async(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """The answer, for a task in another loop, which is not held up; raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question, self._loop))

    def close(self) -> None:
        """End the work, and wait for its end."""
        self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._work)
        finally:
            self._loop.close()


async def _until_cancelled(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """The work, and after it the end of every question that nobody will answer any more."""
    with contextlib.suppress(asyncio.CancelledError):
        await work()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
