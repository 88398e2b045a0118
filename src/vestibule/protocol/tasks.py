"""Wait for asyncio tasks that several callers share. If all stop waiting, asyncio prints no traceback."""

import asyncio
from typing import Any, TypeVar

T = TypeVar("T")


async def shared_result(task: asyncio.Task[T]) -> T:
    """Return the result of a shared task; raises what the task raises. If one caller is cancelled, the task runs on."""
    task.add_done_callback(mark_retrieved)
    await asyncio.wait({task})
    return task.result()


def mark_retrieved(task: asyncio.Task[Any]) -> None:
    """Read a task's exception, so that asyncio does not print it as never retrieved."""
    if not task.cancelled():
        task.exception()
