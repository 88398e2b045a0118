"""Wait for shared asyncio tasks, without asyncio printing a traceback when nobody waits any more."""

import asyncio
from typing import Any, TypeVar

T = TypeVar("T")


async def shared_result(task: asyncio.Task[T]) -> T:
    """Return the result of a task that several wait for; raises what it raises. Cancelling one leaves it running."""
    task.add_done_callback(mark_retrieved)
    await asyncio.wait({task})
    return task.result()


def mark_retrieved(task: asyncio.Task[Any]) -> None:
    """Mark a task's exception as seen, so that asyncio does not print it."""
    if not task.cancelled():
        task.exception()
