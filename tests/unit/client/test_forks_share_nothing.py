"""What belongs to one loop, thread or process is not taken over by a worker that is forked from it."""

import asyncio
import ctypes
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

import httpx
import pytest

from tests.harness.process import Running, sign_in
from tests.harness.servers import WAIT_SECONDS
from tests.unit.client.forking import EMAIL, fate, forked, needs_fork, server
from vestibule.client import Session, Verifier
from vestibule.client.keys import PATH
from vestibule.client.process import PerProcess

__all__ = ["server"]
pytestmark = needs_fork
TIED = (
    asyncio.AbstractEventLoop,
    asyncio.Event,
    asyncio.Future,
    httpx.AsyncClient,
    httpx.Client,
    ssl.SSLContext,
    threading.Thread,
    type(threading.Lock()),
)


def tied(root: object) -> dict[int, object]:
    """All that a tool of the kit holds that belongs to one loop, thread or process, by its identity."""
    found: dict[int, object] = {}
    seen: set[int] = set()
    ahead = [root]
    while ahead:
        each = ahead.pop()
        if id(each) in seen or isinstance(each, type | ModuleType | FunctionType | str | bytes):
            continue
        seen.add(id(each))
        if isinstance(each, TIED):
            found[id(each)] = each
            continue
        if isinstance(each, dict):
            ahead += each.values()
        elif isinstance(each, list | tuple | set | frozenset):
            ahead += each
        ahead += [value for name, value in getattr(each, "__dict__", {}).items()]
    return found


def of_this_process(tool: Session | Verifier) -> list[object]:
    """What a tool has made for the process that asks."""
    if isinstance(tool, Session):
        return [tool._sender._clients.here(), tool._refresh_locks.here()]
    return [tool._processes.here()]


@pytest.mark.parametrize("kind", ["verifier", "session"])
def test_k10_nothing_of_the_parents_loop_thread_or_process_is_in_the_child(kind: str) -> None:
    """K10: with every lock taken, and in the middle of a fetch of the keys that never ends."""
    with never_answering() as (url, asked):
        tool = Session(url) if kind == "session" else Verifier(url, "vsk_x")
        if isinstance(tool, Verifier):
            tool._here().begin()
            asked.wait(WAIT_SECONDS)
            assert len(tool._here().updater.keys._under_way) == 1
        before = tied(of_this_process(tool))
        assert len(before) >= 2
        for held in before.values():
            if isinstance(held, type(threading.Lock())):
                held.acquire()
        try:
            with forked(lambda: tied(of_this_process(tool)).keys().isdisjoint(before)) as go:
                go()
        finally:
            for held in before.values():
                if isinstance(held, type(threading.Lock())):
                    held.release()
            tool.close()


def test_k10_a_worker_that_is_forked_while_keys_are_fetched_follows(server: tuple[Running, str]) -> None:
    """K10: it waits for no task of its parent's loop."""
    running, key = server
    with running.browser() as browser, Verifier(running.base, key) as verifier:
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        verifier.check(token)

        asking = list[asyncio.Task[None]]()

        async def never_ends() -> None:
            keys = verifier._here().updater.keys
            asking.append(asyncio.create_task(keys._under_way.result(PATH, asyncio.Event().wait)))  # type: ignore[arg-type]

        verifier._here()._supervised.call(lambda _updater: never_ends(), WAIT_SECONDS)
        with forked(lambda: fate(Verifier.check, verifier, token) is None and verifier.age < 5) as go:
            go()
        assert verifier.check(token)


@contextmanager
def never_answering() -> Iterator[tuple[str, threading.Event]]:
    """A port that takes connections, and says nothing; the event is set when somebody has asked for the keys."""
    asked, kept = threading.Event(), list[socket.socket]()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            try:
                while True:
                    connection = listening.accept()[0]
                    kept.append(connection)
                    if b"jwks" in connection.recv(1000):
                        asked.set()
            except OSError:
                return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(WAIT_SECONDS)
            for connection in kept:
                connection.close()


@pytest.mark.parametrize("fork", [os.fork, ctypes.PyDLL(None).fork], ids=["python", "c"])
def test_k10_threads_of_a_child_that_come_at_once_have_one_and_the_same(fork: Callable[[], int]) -> None:
    """K10: also in the child of a child, and after a replacement."""
    made = PerProcess(slowly_made)
    parents = made.here()

    def all_the_same() -> bool:
        here = len({id(each) for each in at_once(made.here)}) == 1 and made.here() == [os.getpid()]
        old = made.here()
        new = {id(each) for each in at_once(lambda: made.replace(old))}
        return here and len(new) == 1 and new == {id(made.here())} and made.here() is not old

    def with_a_child() -> bool:
        with forked(all_the_same, fork) as go:
            go()
        return made.here() is not parents and all_the_same()

    with forked(with_a_child, fork) as go:
        go()
    assert made.here() is parents


def slowly_made() -> list[int]:
    time.sleep(0.01)
    return [os.getpid()]


def at_once(work: Callable[[], Any]) -> list[Any]:
    """What eight threads get that begin together."""
    together = threading.Barrier(8)
    with ThreadPoolExecutor(8) as threads:
        return [*threads.map(lambda _: (together.wait(WAIT_SECONDS), work())[1], range(8))]
