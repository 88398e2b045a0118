"""Share one piece of work between all tasks that need its result.

If every caller is cancelled and the work then fails, asyncio does not log "exception was never retrieved".
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class SharedWork(Generic[K, T]):
    """Runs one piece of work for each key at a time, and holds an entry for each piece that is under way."""

    def __init__(self) -> None:
        self._under_way: dict[K, asyncio.Task[T]] = {}
        self._next: dict[K, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    async def result(self, key: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the work under way for `key`, and start `work` if there is none; raises what it raises.

        Cancelling a caller leaves the work running for the others. The work runs with the context variables
        (`contextvars`) of the first caller.
        """
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(work())
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await shared_result(task)

    async def later_result(self, key: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of work that begins after this call; raises what the work raises.

        While work is under way for `key`, all who call this share the one piece of work that follows it.
        """
        task = self._next.get(key)
        if task is None:
            if key not in self._under_way:
                return await self.result(key, work)
            task = self._next[key] = asyncio.create_task(self._begin_after(self._under_way[key], key, work))
        return await shared_result(task)

    async def _begin_after(self, current: asyncio.Task[T], key: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            await asyncio.wait({current})
        finally:
            self._next.pop(key, None)
        return await self.result(key, work)


async def shared_result(task: asyncio.Future[T]) -> T:
    """Return the result of a shared task or future; raises what the task raises. Cancelling a caller leaves the task
    running.
    """
    task.add_done_callback(mark_retrieved)
    await asyncio.wait({task})
    return task.result()


def mark_retrieved(task: asyncio.Future[Any]) -> None:
    """Read a task's exception, so that asyncio does not print it as never retrieved."""
    if not task.cancelled():
        task.exception()
