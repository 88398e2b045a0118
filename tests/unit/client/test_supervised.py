"""A background that ended is noticed, logged with its reason, and run again; nobody waits for it meanwhile."""

import asyncio
import gc
import itertools
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.harness.clock import ManualClock
from tests.harness.servers import WAIT_SECONDS, free_port, wait_until
from tests.unit.client.beating import beating
from tests.unit.client.knowing import Knowing, token_of_today
from vestibule.client import CallerRefusedError, CannotTellError, SessionOverError, Verifier, background, supervised
from vestibule.client.background import EndedError
from vestibule.client.supervised import Supervised, reason_of

PLACES = 32
AT_ONCE_SECONDS = WAIT_SECONDS
"""For a hundred checks. If each waited, as it may for the first fetch, that would take five hundred seconds."""


class Failing:
    """Work that fails at each of its first runs; `heard` says which of them have done something before."""

    def __init__(self, runs: list[str]) -> None:
        self._says = runs.pop(0) if runs else "stays"

    @property
    def succeeded(self) -> bool:
        return self._says == "heard"

    async def work(self) -> None:
        if self._says == "stays":
            await asyncio.Event().wait()
        raise ZeroDivisionError("vsk_secret")

    async def release(self) -> None:
        """Nothing was opened."""


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "vestibule-client"]


def test_k15_what_ends_is_run_again_after_pauses_that_grow_and_begin_anew_once_it_worked() -> None:
    """K15: half a second, then twice as long, up to five."""
    clock, begun, told = ManualClock(), list[float](), list[tuple[str, float]]()
    at_first = clock.monotonic()

    async def sleep(seconds: float) -> None:
        clock.advance(seconds=seconds)
        begun.append(round(clock.monotonic() - at_first, 3))

    runs = ["fails"] * 6 + ["heard", "fails"]
    tool = Supervised(lambda: Failing(runs), lambda fault, pause: told.append((reason_of(fault), pause)), clock, sleep)
    tool.begin()
    wait_until(lambda: len(begun) == 9, "the last run")
    assert begun == [0, 0.5, 1.5, 3.5, 7.5, 12.5, 17.5, 18, 19]
    assert [pause for _, pause in told] == [0.5, 1, 2, 4, 5, 5, 0.5, 1]
    assert {reason.partition(":")[0] for reason, _ in told} == {"ZeroDivisionError in test_supervised.py"}
    assert tool.close()
    with pytest.raises(EndedError):
        tool.call(lambda _work: asyncio.sleep(0), 1)


class Stepping(Coroutine[Any, Any, Any]):
    """A coroutine, into which `fall` may throw at a step."""

    def __init__(self, inner: Coroutine[Any, Any, Any], fall: Callable[[], BaseException | None]) -> None:
        self._inner = inner
        self._fall = fall

    def send(self, value: Any) -> Any:
        fault = self._fall()
        return self._inner.send(value) if fault is None else self._inner.throw(fault)

    def throw(self, *fault: Any) -> Any:
        return self._inner.throw(*fault)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError


class Falls:
    """A task factory: at the first loop of its n-th thread, the n-th step of all its tasks raises."""

    def __init__(self, make: Callable[[], BaseException]) -> None:
        self.fallen = 0
        self._make = make
        self._number = itertools.count()
        self._threads: dict[int, tuple[object, Callable[[], BaseException | None]]] = {}
        self._quiet = background._task_without_complaint

    def __call__(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **named: Any) -> asyncio.Task[Any]:
        thread = threading.get_ident()
        if thread not in self._threads:
            self._threads[thread] = (loop, self._fall_at(next(self._number)))
        known, fall = self._threads[thread]
        return self._quiet(loop, Stepping(coroutine, fall) if known is loop else coroutine, **named)

    def _fall_at(self, number: int) -> Callable[[], BaseException | None]:
        steps = itertools.count()

        def fall() -> BaseException | None:
            if next(steps) != number:
                return None
            self.fallen += 1
            return self._make()

        return fall


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:.*never awaited")
@pytest.mark.parametrize("kind", [ZeroDivisionError, SystemExit, asyncio.CancelledError])
def test_k15_an_unforeseen_end_at_any_await_is_survived(
    kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """K15: without a check that asks for it, and without another thread."""
    with monkeypatch.context() as falling:
        falling.setattr(supervised, "FIRST_PAUSE_SECONDS", 0.05)
        falls = Falls(kind)
        falling.setattr(background, "_task_without_complaint", falls)
        assert_survived(falls)
    del falls
    gc.collect()  # here, where it is expected that a library loses what it was thrown out of


def lets_in(verifier: Verifier, token: str) -> bool:
    try:
        return verifier.check(token).session == "s1"
    except CannotTellError:
        return False


def assert_survived(falls: Falls) -> None:
    token = token_of_today("s1")
    with beating() as url:
        tools = [Verifier(url, "vsk_x") for _ in range(PLACES)]
        try:
            before = len(threads())
            for tool in tools:
                tool._here().begin()
            wait_until(lambda: falls.fallen == PLACES, "every one to fall")
            wait_until(lambda: all(tool._here().memory.heard for tool in tools), "every one to hear again")
            wait_until(lambda: all(tool._here().memory.keys for tool in tools), "every one to fetch keys again")
            # What one knew before its fall is dropped a moment after it.
            wait_until(lambda: all(lets_in(tool, token) for tool in tools), "every one to let in")
            assert len(threads()) - before == PLACES
        finally:
            for tool in tools:
                tool._here()._supervised._closing = True
            for tool in tools:
                tool.close()


def test_k15_nobody_waits_between_two_runs_and_who_asks_is_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """K15: 503, or Vestibule is asked; and the log names type, file and line, and no message."""
    monkeypatch.setattr(supervised, "FIRST_PAUSE_SECONDS", 3600)
    token = token_of_today("s1")
    with beating() as url, Verifier(url, "vsk_x") as refuses, Verifier(url, "vsk_x", "ask") as asks:
        for tool in (refuses, asks):
            tool.wait_ready(20)
            assert tool.check(token)
            fail(tool)
            wait_until(lambda ended=tool: ended.age == float("inf"), "its end")  # type: ignore[misc]
        begun = time.monotonic()
        wait_until(lambda: isinstance(fate(asks, token), SessionOverError), "an answer")
        for _ in range(100):
            assert type(fate(refuses, token)) is CannotTellError
        assert time.monotonic() - begun < AT_ONCE_SECONDS
    assert "the background ended: ZeroDivisionError in test_supervised.py:" in caplog.text
    assert "vsk_secret" not in caplog.text


def fail(verifier: Verifier) -> None:
    """Make one of the tasks of its background fail."""

    def wrong() -> None:
        raise ZeroDivisionError("vsk_secret")

    async def end() -> None:
        updater = verifier._here().updater
        updater._wait_for_changed_keys = lambda _seconds: wrong()  # type: ignore[assignment,return-value]
        updater._keys_changed.set()

    verifier._here()._supervised.call(lambda _updater: end(), 10)


def fate(verifier: Verifier, token: str) -> CallerRefusedError | None:
    try:
        verifier.check(token)
    except CallerRefusedError as refusal:
        return refusal
    return None


def test_k15_a_thousand_checks_start_one_thread_at_most_and_another_only_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """K15: also where none can be started."""
    clock, started = ManualClock(), list[str]()
    verifier = Verifier(f"http://127.0.0.1:{free_port()}", "vsk_x", "ask", clock=clock)

    def none_left(thread: threading.Thread) -> None:
        started.append(thread.name)
        raise RuntimeError("can't start new thread")

    def a_thousand() -> None:
        with ThreadPoolExecutor(4) as pool:
            refusals = pool.map(lambda _: fate(verifier, Knowing().token()), range(1000))
            assert {type(refusal) for refusal in refusals} == {CannotTellError}

    start = threading.Thread.start
    monkeypatch.setattr(
        threading.Thread, "start", lambda thread: (none_left if "client" in thread.name else start)(thread)
    )
    for times, seconds in ((1, 0.4), (1, 0.1), (2, 0.9), (2, 0.1), (3, 0)):
        a_thousand()
        assert len(started) == times
        clock.advance(seconds=seconds)
    monkeypatch.undo()
    assert caplog.text.count("the background could not start: RuntimeError") == 1
    clock.advance(seconds=2)
    before = len(threads())
    a_thousand()
    assert len(threads()) - before == 1
    verifier.close()
