"""The loop of the kit's background: a name is looked up once at a time, and no look-up holds up a process's end."""

import asyncio
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest

from tests.harness.servers import WAIT_SECONDS
from vestibule.client.event_loop import BackgroundLoop

ENDS = """
import socket, sys, threading
from vestibule.client import CannotTellError, Session, Verifier

asked = threading.Event()

def never_answers(*_query, **_options):
    asked.set()
    threading.Event().wait()

verifier = Verifier("https://auth.example.com", "vsk_abc")
socket.getaddrinfo = never_answers
threading.Thread(target=verifier.start, daemon=True).start()
asked.wait()
verifier.close()
print("closed")
"""


def looked_up(*queries: tuple[str, int]) -> list[Any]:
    """What the loop answers to queries that come at once."""
    loop = BackgroundLoop()

    async def ask_all() -> list[Any]:
        looking = (loop.getaddrinfo(*query, type=socket.SOCK_STREAM) for query in queries)
        return await asyncio.gather(*looking, return_exceptions=True)

    try:
        return loop.run_until_complete(ask_all())
    finally:
        loop.close()


def test_it_answers_as_the_resolver_does() -> None:
    found, unknown = looked_up(("localhost", 80), ("nowhere.invalid", 80))
    assert found == socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    assert isinstance(unknown, socket.gaierror)


def test_a_name_is_looked_up_once_for_all_who_ask_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that never answers would otherwise have a thread more with each attempt to connect."""
    asked = list[Any]()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *query: asked.append(query[:2]) or [query])
    assert len(looked_up(*[("one", 80)] * 5, ("other", 80))) == 6
    assert sorted(asked) == [("one", 80), ("other", 80)]


def test_a_loop_that_has_ended_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    failed, may_answer = list[Any](), threading.Event()
    monkeypatch.setattr(threading, "excepthook", failed.append)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_query: may_answer.wait(WAIT_SECONDS))
    loop = BackgroundLoop()
    with pytest.raises(TimeoutError):
        loop.run_until_complete(asyncio.wait_for(loop.getaddrinfo("one", 80), 0.01))
    waiting = [thread for thread in threading.enumerate() if thread.name.endswith("-lookup")]
    loop.run_until_complete(cancel_all())
    loop.close()
    may_answer.set()
    for thread in waiting:
        thread.join(WAIT_SECONDS)
    assert (len(waiting), failed) == (1, [])


async def cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_a_process_ends_though_the_resolver_never_answers() -> None:
    """The interpreter waits for threads that are no daemons, and asyncio's own look names up on such."""
    ended = subprocess.run(
        [sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=WAIT_SECONDS, check=True
    )
    assert (ended.stdout, ended.stderr) == ("closed\n", "")
