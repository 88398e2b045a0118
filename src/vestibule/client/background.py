"""Run the kit's background work on one thread with its own event loop; threads and tasks may ask it questions."""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from vestibule.protocol.tasks import mark_retrieved

T = TypeVar("T")
_JOIN_SECONDS = 5.0


class EndedError(Exception):
    """The background work has ended, so there will be no answer."""


class Background:
    """A daemon thread that runs `work` until `close`, and answers questions in the meantime.

    `ended` is called on that thread when the work is over, with the exception that ended it or None. `release` runs
    last, and closes what the work opened: by then nothing uses it.
    """

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        ended: Callable[[BaseException | None], None],
        release: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_task_factory(_quiet)
        self._ended = ended
        self._release = release
        self._over = False
        self._asking = threading.Lock()
        self._work = self._loop.create_task(work())
        self._thread = threading.Thread(target=self._run, name="vestibule-client", daemon=True)
        self._thread.start()

    def ask(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """Return the answer, blocking a thread for at most `seconds`; raises `TimeoutError`, and `EndedError` when the
        work has ended.
        """
        asked = self._asked(question)
        try:
            return asked.result(seconds)
        except concurrent.futures.TimeoutError:
            asked.cancel()
            raise TimeoutError from None
        except concurrent.futures.CancelledError:
            raise EndedError from None

    async def ask_async(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """Return the answer to a task of another loop, without blocking that loop; raises as `ask` does."""
        asked = self._asked(question)
        async with asyncio.timeout(seconds):
            try:
                return await asyncio.wrap_future(asked)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # the caller was cancelled, or the timeout is over
                    raise
                raise EndedError from None

    def close(self) -> None:
        """Cancel the work and wait for its end, at most five seconds."""
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join(_JOIN_SECONDS)

    def _asked(self, question: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        with self._asking:
            if not self._over:
                return asyncio.run_coroutine_threadsafe(question, self._loop)
        question.close()
        raise EndedError

    def _run(self) -> None:
        fault: BaseException | None = None
        try:
            with contextlib.suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._work)
        except BaseException as error:  # passed to `ended`: nobody else sees an exception of this thread
            fault = error
        finally:
            with self._asking:
                self._over = True
            self._ended(fault)
            try:
                self._loop.run_until_complete(self._leave())
            finally:
                self._loop.close()

    async def _leave(self) -> None:
        # In this order: a question still under way would hand its connection back to a closed client.
        await _end_all_others()
        await self._release()
        for lost in [*getattr(self._loop, "_transports", {}).values()]:  # left open by a library that was cancelled
            lost.abort()
        await asyncio.sleep(0)  # an aborted connection closes its socket in the loop's next iteration


def _quiet(loop: asyncio.AbstractEventLoop, coroutine: Any, **named: Any) -> asyncio.Task[Any]:
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
