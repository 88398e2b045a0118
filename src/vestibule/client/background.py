"""What goes on beside the requests: one thread with an event loop of its own, for callers in threads and in loops."""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from vestibule.protocol.tasks import retrieve

T = TypeVar("T")
_JOIN_SECONDS = 5.0


class Ended(Exception):
    """Nobody answers here any more."""


class Background:
    """Runs `work` until it is closed, and answers questions meanwhile. A daemon: it keeps no process alive.

    `ended` is called in the thread when the work has ended in whatever way, with its fault, if it had one; `release`
    runs once nobody uses any more what the work has opened.
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
        """The answer, for a thread that may wait; raises `TimeoutError`, and `Ended` where there will be none."""
        asked = self._asked(question)
        try:
            return asked.result(seconds)
        except concurrent.futures.TimeoutError:
            asked.cancel()
            raise TimeoutError from None
        except concurrent.futures.CancelledError:
            raise Ended from None

    async def ask_async(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """The same for a task in another loop, which is not held up."""
        asked = self._asked(question)
        async with asyncio.timeout(seconds):
            try:
                return await asyncio.wrap_future(asked)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # it is the caller who gives up, or the time that is over
                    raise
                raise Ended from None

    def close(self) -> None:
        """End the work, and wait for its end."""
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join(_JOIN_SECONDS)

    def _asked(self, question: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        with self._asking:
            if not self._over:
                return asyncio.run_coroutine_threadsafe(question, self._loop)
        question.close()
        raise Ended

    def _run(self) -> None:
        fault: BaseException | None = None
        try:
            with contextlib.suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._work)
        except BaseException as whatever:  # told to `ended`; a thread has nobody else to tell
            fault = whatever
        finally:
            with self._asking:
                self._over = True
            self._ended(fault)
            try:
                self._loop.run_until_complete(self._leave())
            finally:
                self._loop.close()

    async def _leave(self) -> None:
        # In this order: whoever still asks would hand a connection back to a client that is closed.
        await _end_all_others()
        await self._release()
        for lost in [*getattr(self._loop, "_transports", {}).values()]:  # by a library, when it was cancelled
            lost.abort()
        await asyncio.sleep(0)  # a connection that was just given up closes its socket in the loop's next turn


def _quiet(loop: asyncio.AbstractEventLoop, coroutine: Any, **named: Any) -> asyncio.Task[Any]:
    """A task whose failure is told to who asked, or was logged: who asked may have given up since."""
    task = asyncio.Task(coroutine, loop=loop, **named)
    task.add_done_callback(retrieve)
    return task


async def _end_all_others() -> None:
    """The end of every question that nobody will answer any more."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        if not task.cancelling():  # a second cancellation would interrupt it while it closes its connection
            task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
