"""The pool for what burns CPU: bounded, off the event loop, and polite."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from tests.harness.servers import WAIT_SECONDS
from vestibule.process.niced_threads import NicedThreads, PoolFull
from vestibule.process.priority import NICENESS


@asynccontextmanager
async def pool(threads: int, waiting: int) -> AsyncIterator[NicedThreads]:
    made = NicedThreads(threads, waiting)
    try:
        yield made
    finally:
        await asyncio.to_thread(made.close)


class Gate:
    """Work that says when it has begun and ends when it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self._open = threading.Event()

    def work(self) -> str:
        self.begun.release()
        assert self._open.wait(WAIT_SECONDS)
        return "done"

    def let_go(self) -> None:
        self._open.set()

    async def wait_for(self, workers: int) -> None:
        """Return once `workers` are at work."""
        for _ in range(workers):
            assert await asyncio.to_thread(self.begun.acquire, timeout=WAIT_SECONDS)


async def start(threads: NicedThreads, call: Callable[[], str], times: int) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(threads.run(call)) for _ in range(times)]
    await asyncio.sleep(0)
    return tasks


async def until_it_takes_work(threads: NicedThreads) -> None:
    """Returns once there is room again, and fails if there never is."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            with suppress(PoolFull):
                assert await threads.run(lambda: "done") == "done"
                return
            await asyncio.sleep(0)


async def test_beyond_threads_and_waiting_it_is_full_at_once() -> None:
    gate = Gate()
    async with pool(threads=2, waiting=3) as threads:
        tasks = await start(threads, gate.work, 5)
        await gate.wait_for(2)
        for _ in range(3):
            with pytest.raises(PoolFull):
                await threads.run(gate.work)
        assert not gate.begun.acquire(blocking=False), "more than two at once"
        gate.let_go()
        assert await asyncio.gather(*tasks) == ["done"] * 5
        await until_it_takes_work(threads)


async def test_room_is_given_back_after_a_failure() -> None:
    async with pool(threads=1, waiting=0) as threads:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await threads.run(lambda: 1 // 0)
            await until_it_takes_work(threads)


async def test_who_stops_waiting_gives_no_room_back_before_the_work_is_done() -> None:
    gate = Gate()
    async with pool(threads=1, waiting=0) as threads:
        [task] = await start(threads, gate.work, 1)
        await gate.wait_for(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(PoolFull):
            await threads.run(gate.work)
        gate.let_go()
        await until_it_takes_work(threads)


async def test_cancelled_before_its_turn_it_is_never_begun_and_gives_its_room_back() -> None:
    gate, begun = Gate(), threading.Event()
    async with pool(threads=1, waiting=1) as threads:
        [running] = await start(threads, gate.work, 1)
        await gate.wait_for(1)
        waiting = asyncio.create_task(threads.run(begun.set))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        successor = (await start(threads, lambda: "done", 1))[0]
        gate.let_go()
        assert await asyncio.gather(running, successor) == ["done", "done"]
        assert not begun.is_set()


async def test_it_runs_on_its_own_threads_and_the_event_loop_goes_on() -> None:
    """O8: it runs on its own threads and the event loop goes on."""
    gate = Gate()
    async with pool(threads=1, waiting=0) as threads:
        assert await threads.run(threading.get_ident) != threading.get_ident()
        await until_it_takes_work(threads)
        [task] = await start(threads, gate.work, 1)
        await gate.wait_for(1)  # the loop answers while the thread is at work
        assert not task.done()
        gate.let_go()
        assert await task == "done"


async def test_its_threads_are_niced_where_threads_have_a_priority_and_the_process_never_is() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    async with pool(threads=2, waiting=8) as threads:
        seen = await asyncio.gather(*(threads.run(niceness) for _ in range(4)))
    assert seen == [max(NICENESS, before) if sys.platform == "linux" else before] * 4
    assert niceness() == before


async def test_closing_waits_for_what_runs_and_drops_what_waits() -> None:
    gate = Gate()
    threads = NicedThreads(threads=1, waiting=1)
    running, waiting = await start(threads, gate.work, 2)
    await gate.wait_for(1)
    closing = asyncio.create_task(asyncio.to_thread(threads.close))
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not closing.done()
    gate.let_go()
    assert await running == "done"
    await closing
