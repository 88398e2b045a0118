"""Work that is shared: once for each key at a time, also if one who waits gives up, and however it ends."""

import asyncio
import gc

import pytest

from vestibule.protocol.tasks import SharedWork


class Work:
    """Work that ends when it is told to, and counts how often it began."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        await self.may_end.wait()
        return "done"

    async def failing(self) -> str:
        await self()
        raise OSError("away")


async def asking(shared: SharedWork[str, str], *work: tuple[str, object]) -> list[asyncio.Task[str]]:
    """One task for each piece of work, all of them waiting."""
    tasks = [asyncio.create_task(shared.result(key, begin)) for key, begin in work]  # type: ignore[arg-type]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_work_is_done_once_for_each_key_at_a_time() -> None:
    shared, one, other = SharedWork[str, str](), Work(), Work()
    tasks = await asking(shared, *[("one", one)] * 5, ("other", other))
    assert (one.begun, other.begun, len(shared)) == (1, 1, 2)
    one.may_end.set()
    other.may_end.set()
    assert await asyncio.gather(*tasks) == ["done"] * 6
    assert len(shared) == 0, "nothing is kept of what is over"
    assert await shared.result("one", one) == "done"
    assert one.begun == 2


async def test_work_that_must_begin_later_is_not_the_one_under_way() -> None:
    """Who asks after a sign-out may not be told what was known before it."""
    shared, first, second = SharedWork[str, str](), Work(), Work()

    async def later() -> list[asyncio.Task[str]]:
        tasks = [asyncio.create_task(shared.later_result("one", second)) for _ in range(3)]
        for _ in range(3):
            await asyncio.sleep(0)
        return tasks

    (before,) = await asking(shared, ("one", first))
    tasks = await later()
    tasks[0].cancel()
    assert second.begun == 0
    first.may_end.set()
    assert await before == "done"
    tasks += await later()
    for _ in range(5):
        await asyncio.sleep(0)
    second.may_end.set()
    assert await asyncio.gather(*tasks[1:]) == ["done"] * 5
    assert second.begun == 2, "the first two share one, and those who came after it began another"
    assert len(shared) == 0
    assert await shared.later_result("one", second) == "done"


@pytest.mark.parametrize("gives_up", [0, 1])
async def test_who_gives_up_takes_it_from_nobody(gives_up: int) -> None:
    shared, work = SharedWork[str, str](), Work()
    tasks = await asking(shared, *[("one", work)] * 3)
    tasks[gives_up].cancel()
    await asyncio.wait({tasks[gives_up]})
    assert tasks[gives_up].cancelled()
    work.may_end.set()
    assert await asyncio.gather(*(task for task in tasks if not task.cancelled())) == ["done"] * 2
    assert work.begun == 1


async def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    shared, work = SharedWork[str, str](), Work()
    tasks = await asking(shared, *[("one", work.failing)] * 3)
    work.may_end.set()
    failed = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(fault) for fault in failed] == ["away"] * 3
    assert await shared.result("one", work) == "done"


async def test_a_failure_that_nobody_waits_for_is_not_printed() -> None:
    shared, work, told = SharedWork[str, str](), Work(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    (task,) = await asking(shared, ("one", work.failing))
    task.cancel()
    await asyncio.wait({task})
    del task
    work.may_end.set()
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    assert (told, len(shared)) == ([], 0)
