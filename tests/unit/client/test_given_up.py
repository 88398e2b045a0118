"""Who asks and gives up leaves no traceback when the answer fails later; whatever runs by itself tells of its end."""

import ast
import asyncio
import gc
import logging
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import vestibule
from tests.harness.clock import ManualClock
from tests.harness.servers import WAIT_SECONDS
from tests.unit.client.knowing import EXPECTED
from vestibule.client.background import Background, EndedError
from vestibule.client.introspect import Introspection
from vestibule.client.keys import KeySet
from vestibule.client.token_clock import TokenClock

Work = Callable[[], Coroutine[Any, Any, None]]
Ask = Callable[[httpx.AsyncClient], Awaitable[object]]
ASKS: dict[str, Ask] = {
    "keys": lambda http: KeySet(ManualClock(), 60).fetch(http),
    "introspection": lambda http: Introspection(http, EXPECTED, TokenClock()).ask("a.b.c"),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_k11_an_answer_that_fails_after_its_asker_gave_up_is_not_printed(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    asked, failing = asyncio.Event(), asyncio.Event()

    async def answer(_request: httpx.Request) -> httpx.Response:
        asked.set()
        await failing.wait()
        raise httpx.ConnectError("gone")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://auth.example.com") as http:
        before = asyncio.all_tasks()
        asking = asyncio.ensure_future(ask(http))
        await asked.wait()
        left = asyncio.all_tasks() - before - {asking}
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        failing.set()
        assert len(left) == 1
        await asyncio.wait(left)
        del left, asking
    gc.collect()
    await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_k11_nor_is_one_of_the_background(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "asyncio")

    async def work() -> None:
        await asyncio.Event().wait()

    async def fail_when_given_up() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError from None

    with running(work, nothing) as background, pytest.raises(TimeoutError):
        background.call(fail_when_given_up(), 0.01)
    gc.collect()
    assert "never retrieved" not in caplog.text


@contextmanager
def running(work: Work, release: Work) -> Iterator[Background]:
    """A background on a thread, which ends by itself once it is cancelled."""
    background, ended_by = Background(work, release), list[BaseException | None]()
    thread = threading.Thread(target=lambda: ended_by.append(background.run()))
    thread.start()
    yield background
    background.cancel()
    thread.join(WAIT_SECONDS)
    assert ended_by == [None]


async def nothing() -> None:
    """Nothing was opened."""


def test_k11_what_it_opened_is_released_once_nobody_asks_any_more() -> None:
    """Else the connection of who is still asking goes back to a client that is closed, and stays open."""
    told: list[str] = []
    asked = threading.Event()

    async def work() -> None:
        await asyncio.Event().wait()

    async def release() -> None:
        told.append("released")

    async def ask() -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            told.append("asked no more")

    def ask_in_vain() -> None:
        with pytest.raises(EndedError):
            background.call(ask(), 20)

    with running(work, release) as background:
        asking = threading.Thread(target=ask_in_vain)
        asking.start()
        assert asked.wait(WAIT_SECONDS)
    asking.join()
    assert told == ["asked no more", "released"]


def test_k11_a_connection_that_a_library_lost_is_closed_too() -> None:
    """As httpcore loses that of a handshake which is cancelled; else it is open until it is collected."""

    async def work() -> None:
        await asyncio.Event().wait()

    with socket.create_server(("127.0.0.1", 0)) as server:

        async def lose() -> object:
            return await asyncio.get_running_loop().create_connection(asyncio.Protocol, *server.getsockname())

        with running(work, nothing) as background:
            lost = background.call(lose(), 20)
            there, _ = server.accept()
        with there:
            there.settimeout(WAIT_SECONDS)
            assert (there.recv(1), bool(lost)) == (b"", True)


# Where a task is begun, and who is told what it failed with.
TOLD = {
    "client/background.py": "the factory, for all of that loop; `run` returns its work's fault",
    "client/memory_updater.py": "a TaskGroup",
    "protocol/tasks.py": "shared_result",
    "wiring/background.py": "each loop logs and goes on, gather takes the rest",
    "observability/metrics/sampling.py": "logs and goes on",
    "state/health_reports.py": "a fault becomes a finding",
    "web/api/services.py": "mark_retrieved",
    "web/connections.py": "logs and goes on",
}
BEGINS = {"create_task", "ensure_future", "shield", "run_coroutine_threadsafe"}


def test_k11_every_task_of_the_package_has_somebody_who_is_told() -> None:
    root, begun = Path(vestibule.__file__).parent, Counter[str]()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in BEGINS:
                begun[str(path.relative_to(root))] += 1
                assert node.attr != "shield", f"{path}: wait with protocol.tasks.shared_result"
    assert set(begun) == set(TOLD)
