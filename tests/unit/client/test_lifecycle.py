"""A verifier is started, closed and started again; a closed one refuses, and closing takes two seconds at most."""

import asyncio
import copy
import multiprocessing.reduction
import pickle
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import get_args

import pytest

from tests.harness.servers import SLACK_SECONDS, WAIT_SECONDS, free_port, wait_until
from tests.unit.client.beating import beating
from tests.unit.client.knowing import token_of_today
from vestibule.client import (
    Caller,
    CallerRefusedError,
    CannotTellError,
    NotReachedError,
    NotVestibuleError,
    SessionOverError,
    TokenInvalidError,
    Verifier,
)
from vestibule.client.memory import WhenStale
from vestibule.client.memory_updater import MemoryUpdater
from vestibule.client.supervised import JOIN_SECONDS, Supervised

PROMISED_SECONDS = 2.0
CLOSE_SECONDS = JOIN_SECONDS + SLACK_SECONDS
"""How long a thread is waited for, and what a busy machine adds."""


def fate(verifier: Verifier, token: str) -> type[CallerRefusedError] | None:
    try:
        verifier.check(token)
    except CallerRefusedError as refusal:
        return type(refusal)
    return None


def test_it_is_entered_twice_and_knows_nothing_of_the_first_time() -> None:
    token = token_of_today("s1")
    with beating() as url:
        verifier = Verifier(url, "vsk_x")
        with verifier:
            assert fate(verifier, token) is None
            verifier._here().memory.end(token)
            assert fate(verifier, token) is SessionOverError
        with verifier:
            assert fate(verifier, token) is None
        verifier.close()
        verifier.wait_ready(20)
        assert fate(verifier, token) is None
        verifier.close()


def test_the_first_check_waits_for_word_that_is_recent() -> None:
    """Vestibule may tell what it knew a minute ago, while it cannot read its own record."""
    with beating(old=2) as url:
        verifier = Verifier(url, "vsk_x")
        assert fate(verifier, token_of_today("s1")) is None
        verifier.close()


@pytest.mark.parametrize("check", [Verifier.check, lambda *given: asyncio.run(Verifier.check_async(*given))])
def test_a_first_check_that_is_overtaken_by_the_first_fetch_is_answered_by_it(
    monkeypatch: pytest.MonkeyPatch, check: Callable[[Verifier, str], Caller]
) -> None:
    """It found nothing in memory, and does not refuse by that when the background is done sooner than it."""
    begin = Supervised.begin

    def begin_slowly(supervised: Supervised[MemoryUpdater]) -> None:
        begin(supervised)
        wait_until(lambda: verifier._here().updater.first_fetch_done, "the first fetch")

    monkeypatch.setattr(Supervised, "begin", begin_slowly)
    with beating() as url:
        verifier = Verifier(url, "vsk_x")
        assert check(verifier, token_of_today("s1")).session == "s1"
        verifier.close()


async def test_it_is_entered_in_a_task() -> None:
    with beating() as url:
        verifier = Verifier(url, "vsk_x")
        for _ in range(2):
            async with verifier as entered:
                assert (await entered.check_async(token_of_today("s1"))).session == "s1"


@pytest.mark.parametrize("when_stale", get_args(WhenStale))
def test_a_closed_one_refuses_once_what_it_knows_is_old(when_stale: str) -> None:
    with beating() as url:
        verifier = Verifier(url, "vsk_x", when_stale)  # type: ignore[arg-type]
        with verifier:
            assert fate(verifier, token_of_today("s1")) is None
        assert fate(verifier, token_of_today("s2")) is None
        verifier._here().memory.revoked.fresh_as_of -= 6
        assert fate(verifier, token_of_today("s3")) is CannotTellError
        with pytest.raises(CannotTellError):
            asyncio.run(verifier.check_async(token_of_today("s3")))


def test_waiting_until_it_is_ready_raises_what_an_operator_must_know() -> None:
    with beating() as url:
        for _ in range(2):
            verifier = Verifier(url, "vsk_x")
            verifier.wait_ready(20)
            assert verifier.age < 5
            verifier.close()
    outage = Verifier(f"http://127.0.0.1:{free_port()}", "vsk_x")
    with pytest.raises(NotReachedError, match=r"was not heard from in 0\.3 s; the log says why"):
        outage.wait_ready(0.3)
    outage.close()
    wrong = Verifier("https://nowhere.invalid", "vsk_x")
    for _ in range(2):
        with pytest.raises(NotVestibuleError, match="leads nowhere"):
            wrong.wait_ready(20)


@contextmanager
def silent() -> Iterator[str]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_it_closes_in_time_before_a_server_that_never_answers(scheme: str) -> None:
    """However many wait for an answer; they are refused."""
    fates = list[type[CallerRefusedError] | None]()
    with silent() as there:
        verifier = Verifier(f"{scheme}://{there}", "vsk_x", "ask")
        waiting = [
            threading.Thread(target=lambda: fates.append(fate(verifier, token_of_today("s1")))) for _ in range(4)
        ]
        for thread in waiting:
            thread.start()
        time.sleep(0.2)
        begun = time.monotonic()
        verifier.close()
        assert time.monotonic() - begun < CLOSE_SECONDS
        for thread in waiting:
            thread.join(WAIT_SECONDS)
    assert fates == [CannotTellError] * 4


def test_a_background_that_hangs_is_left_behind_and_said(caplog: pytest.LogCaptureFixture) -> None:
    go_on = threading.Event()
    with beating() as url:
        verifier = Verifier(url, "vsk_x")
        verifier.wait_ready(20)

        async def hang() -> None:
            go_on.wait(WAIT_SECONDS)

        with pytest.raises(TimeoutError):
            verifier._here()._supervised.call(lambda _updater: hang(), 0.1)
        begun = time.monotonic()
        verifier.close()
        assert time.monotonic() - begun < CLOSE_SECONDS
        assert JOIN_SECONDS < PROMISED_SECONDS
        go_on.set()
    assert "did not end in time" in caplog.text


def test_what_is_no_text_is_no_token() -> None:
    verifier = Verifier("http://127.0.0.1:1", "vsk_x")
    for odd in (None, b"a.b.c", 5, ["a"]):
        with pytest.raises(TokenInvalidError):
            verifier.check(odd)  # type: ignore[arg-type]
        with pytest.raises(TokenInvalidError):
            asyncio.run(verifier.check_async(odd))  # type: ignore[arg-type]


def test_it_says_why_it_cannot_be_sent_to_another_process() -> None:
    verifier = Verifier("http://127.0.0.1:1", "vsk_x")
    for send in (pickle.dumps, copy.copy, copy.deepcopy, multiprocessing.reduction.ForkingPickler.dumps):
        with pytest.raises(TypeError, match="make one in each"):
            send(verifier)


def test_in_the_master_of_uwsgi_it_only_begins_in_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """It forks while the background runs, without regard for the interpreter's lock: such a worker never answers."""
    worker = [0]
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(masterpid=lambda: 1, worker_id=lambda: worker[0]))
    with beating() as url:
        verifier = Verifier(url, "vsk_x")
        verifier.start()
        assert fate(verifier, token_of_today("s1")) is CannotTellError
        assert verifier._here()._supervised._thread is None
        worker[0] = 1
        assert fate(verifier, token_of_today("s1")) is None
        verifier.close()
