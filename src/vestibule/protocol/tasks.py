"""Tasks that nobody waits for any more when they fail: asyncio would print a traceback of what was told, or is over."""

import asyncio
from typing import Any, TypeVar

T = TypeVar("T")


async def together(task: asyncio.Task[T]) -> T:
    """Wait for what others wait for too: who gives up leaves it to them, and its failure to nobody in particular."""
    task.add_done_callback(retrieve)
    await asyncio.wait({task})
    return task.result()


def retrieve(task: asyncio.Task[Any]) -> None:
    """Take a failure as told, so that it is not printed once nobody holds the task any more."""
    if not task.cancelled():
        task.exception()
