"""Run the kit's background work on its own event loop. Other threads and loops can run coroutines there too."""

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from vestibule.client.event_loop import BackgroundLoop
from vestibule.protocol.tasks import mark_retrieved

T = TypeVar("T")
THREAD_NAME = "vestibule-client"


def _is_not_ours(record: logging.LogRecord) -> bool:
    return record.threadName != THREAD_NAME or record.levelno > logging.INFO


# httpx logs each request with its URL at INFO: while the feed is polled, a line a second in each process. The service's
# own requests are on other threads.
logging.getLogger("httpx").addFilter(_is_not_ours)


class EndedError(Exception):
    """The background work has ended, so there will be no answer."""


class Background:
    """One event loop that runs `work` once, to its end, and meanwhile the coroutines given to `call` and `call_async`.

    `release` runs last, and closes what the work opened.
    """

    def __init__(
        self, work: Callable[[], Coroutine[Any, Any, None]], release: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self._loop = BackgroundLoop()
        self._loop.set_task_factory(_task_without_complaint)
        self._work = work
        self._release = release
        self._over = False
        self._submitting = threading.Lock()
        self._working: asyncio.Task[None] | None = None

    def run(self) -> BaseException | None:
        """Run the work on this thread, then `release`. Return the exception that ended the work, or else that of
        `release`; None if both returned or were cancelled.
        """
        self._working = self._loop.create_task(self._work())
        fault = self._run_to_end(self._working)
        self._end()
        try:
            release_fault = self._run_to_end(self._clean_up())
        finally:
            self._loop.close()
        return fault or release_fault

    def call(self, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
        """Run the coroutine on the loop, and return its result. Blocks the calling thread for at most `seconds`. Raises
        what the coroutine raises, `TimeoutError`, and `EndedError` when the work has ended.
        """
        future = self._submit(coroutine)
        try:
            return future.result(seconds)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise TimeoutError from None
        except concurrent.futures.CancelledError:
            raise EndedError from None

    async def call_async(self, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
        """Do what `call` does, for a task of another loop, without blocking that loop; raises as `call` does."""
        future = self._submit(coroutine)
        async with asyncio.timeout(seconds):
            try:
                return await asyncio.wrap_future(future)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # the caller was cancelled, or the timeout is over
                    raise
                raise EndedError from None

    def cancel(self) -> None:
        """Cancel the work, from any thread."""
        with contextlib.suppress(RuntimeError):  # the work has ended by itself
            self._loop.call_soon_threadsafe(self._cancel_here)

    def abandon(self) -> None:
        """Close the loop of work that was never run."""
        self._end()
        self._loop.close()

    def _cancel_here(self) -> None:
        if self._working is not None:
            self._working.cancel()

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        with self._submitting:
            if not self._over:
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        coroutine.close()
        raise EndedError

    def _end(self) -> None:
        with self._submitting:
            self._over = True

    def _run_to_end(self, work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> BaseException | None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                self._loop.run_until_complete(work)
        except BaseException as fault:  # returned, because nobody sees what a thread raises
            return fault
        return None

    async def _clean_up(self) -> None:
        # In this order: a task still under way would hand its connection back to a closed client.
        await _end_all_others()
        await self._release()
        # asyncio's own list of connections. httpx left some open when it was cancelled.
        for transport in list(getattr(self._loop, "_transports", {}).values()):
            transport.abort()
        await asyncio.sleep(0)  # an aborted connection closes its socket in the loop's next iteration


def _task_without_complaint(loop: asyncio.AbstractEventLoop, coroutine: Any, **named: Any) -> asyncio.Task[Any]:
    """Return a task that never logs "exception was never retrieved": its caller may have given up waiting."""
    task = asyncio.Task(coroutine, loop=loop, **named)
    task.add_done_callback(mark_retrieved)
    return task


async def _end_all_others() -> None:
    """Cancel every other task of the loop, and wait until they are done."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        if not task.cancelling():  # a second cancellation would interrupt it while it closes its connection
            task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
