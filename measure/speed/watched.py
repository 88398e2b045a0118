"""`python -m measure.speed.watched serve`: run `vestibule serve`, and time for how long its event loop is held.

It writes the longest hold in seconds, by the clock and in CPU of the loop's thread, to the file that `BENCH_WATCH`
names. It watches from before the first read of the record until `BENCH_WATCH_SECONDS` after the server is ready.
"""

import asyncio
import json
import os
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import vestibule.__main__
from vestibule.app import worker as plain
from vestibule.cli import serve

_TICK_SECONDS = 0.001


def application() -> Any:
    """Return the server's application, which is watched from the start of its lifespan."""
    watching: list[asyncio.Task[None]] = []
    served = plain()

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await served(scope, receive, send)
            return
        ready = asyncio.Event()
        watching.append(asyncio.create_task(_watch(ready, float(os.environ["BENCH_WATCH_SECONDS"]))))

        async def sending(message: Any) -> None:
            ready.set()
            await send(message)

        await served(scope, receive, sending)

    return watched


async def _watch(ready: asyncio.Event, seconds: float) -> None:
    """Find the longest holds until `seconds` after the server is ready, and write them."""
    end = float("inf")
    longest, longest_cpu = 0.0, 0.0
    while perf_counter() < end:
        before, cpu_before = perf_counter(), thread_time()
        await asyncio.sleep(_TICK_SECONDS)
        longest = max(longest, perf_counter() - before - _TICK_SECONDS)
        longest_cpu = max(longest_cpu, thread_time() - cpu_before)
        if ready.is_set():
            end = min(end, perf_counter() + seconds)
    written = Path(os.environ["BENCH_WATCH"])
    partly = written.with_suffix(".part")
    partly.write_text(json.dumps([longest, longest_cpu]))
    partly.rename(written)


if __name__ == "__main__":
    serve._WITHOUT_TRACES = "measure.speed.watched:application"
    vestibule.__main__.main()
