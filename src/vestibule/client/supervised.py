"""Supervise the background: start it on a thread, and restart it if it ends before it is closed."""

import asyncio
import threading
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from vestibule.client.background import THREAD_NAME, Background, EndedError
from vestibule.model.clock import Clock

FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 5.0
JOIN_SECONDS = 1.5
"""How long `close` waits for the thread. A service has two seconds to stop, and closes other things too."""

T = TypeVar("T")


class Work(Protocol):
    """What runs in the background. Each run gets a new one: nothing of a loop that ended is used again."""

    @property
    def succeeded(self) -> bool:
        """Return whether this run has ever succeeded."""

    async def work(self) -> None:
        """Work until it is cancelled."""

    async def release(self) -> None:
        """Close what was opened."""


W = TypeVar("W", bound=Work)


class Supervised(Generic[W]):
    """Runs what `make` makes, on one daemon thread, from `begin` to `close`.

    If a run ends before `close`, `on_end` is called with the exception and the seconds until the next run: half a
    second, then twice as long each time, up to five; half a second again after a run that succeeded. The new run's loop
    waits for these seconds itself, so that `call` works meanwhile. If the thread could not start or has died, `begin`
    starts another.
    """

    def __init__(
        self,
        make: Callable[[], W],
        on_end: Callable[[BaseException | None, float], None],
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._make = make
        self._on_end = on_end
        self._clock = clock
        self._sleep = sleep
        self._changing = threading.Lock()
        self._closing = False
        self._pause = 0.0
        self._not_before = float("-inf")
        self._thread: threading.Thread | None = None
        self._running: tuple[W, Background] | None = None

    def begin(self) -> None:
        """Start the thread, unless there is one, or an attempt has just failed, or `close` was called. Raises Python's
        own error if no thread or descriptor is left.
        """
        with self._changing:
            alive = self._thread is not None and self._thread.is_alive()
            if alive or self._closing or self._clock.monotonic() < self._not_before:
                return
            try:
                self._start()
            except BaseException:
                self._set_pause(succeeded=False)
                raise

    def call(self, function: Callable[[W], Coroutine[Any, Any, T]], seconds: float) -> T:
        """Call an async function with the current run's work, on its loop, and return the result. Blocks this thread;
        raises `TimeoutError` or `EndedError`.
        """
        work, background = self._current()
        return background.call(function(work), seconds)

    async def call_async(self, function: Callable[[W], Coroutine[Any, Any, T]], seconds: float) -> T:
        """Do what `call` does for a task, without blocking its loop; raises `TimeoutError` or `EndedError`."""
        work, background = self._current()
        return await background.call_async(function(work), seconds)

    def close(self) -> bool:
        """End the work for good, and wait for the thread to end; return whether it ended in time."""
        with self._changing:
            self._closing = True
            thread, running = self._thread, self._running
        if running is not None:
            _, background = running
            background.cancel()
        if thread is None:
            return True
        thread.join(JOIN_SECONDS)
        return not thread.is_alive()

    def _start(self) -> None:
        work, background = self._new_run(0.0)
        thread = threading.Thread(target=self._run, args=(work, background), name=THREAD_NAME, daemon=True)
        try:
            thread.start()
        except BaseException:
            background.abandon()
            raise
        self._thread, self._running = thread, (work, background)

    def _run(self, work: W, background: Background) -> None:
        """Do one run after the other until `close`, or until no descriptor is left for another loop."""
        while True:
            fault = background.run()
            pause = self._note_end(fault, succeeded=work.succeeded)
            try:
                with self._changing:
                    if self._closing:
                        return
                    work, background = self._running = self._new_run(pause)
            except Exception as none_left:  # `begin` starts another thread
                self._note_end(none_left, succeeded=False)
                return

    def _note_end(self, fault: BaseException | None, *, succeeded: bool) -> float:
        with self._changing:
            if self._closing:
                return 0.0
            pause = self._set_pause(succeeded=succeeded)
        self._on_end(fault, pause)
        return pause

    def _new_run(self, pause: float) -> tuple[W, Background]:
        work = self._make()

        async def after_the_pause() -> None:
            await self._sleep(pause)
            await work.work()

        return work, Background(after_the_pause, work.release)

    def _set_pause(self, *, succeeded: bool) -> float:
        """Return the seconds until the next run, and have `begin` start nothing until they are over."""
        first_pause = succeeded or not self._pause
        self._pause = FIRST_PAUSE_SECONDS if first_pause else min(2 * self._pause, MAX_PAUSE_SECONDS)
        self._not_before = self._clock.monotonic() + self._pause
        return self._pause

    def _current(self) -> tuple[W, Background]:
        if self._running is None:
            raise EndedError
        return self._running


def reason_of(fault: BaseException | None) -> str:
    """Return type, file and line of an exception and of those it groups. Their messages may quote what was sent."""
    if fault is None:
        return "cancelled"
    if isinstance(fault, BaseExceptionGroup):
        return ", ".join(sorted({reason_of(one) for one in fault.exceptions}))
    places = traceback.extract_tb(fault.__traceback__)
    where = f" in {Path(places[-1].filename).name}:{places[-1].lineno}" if places else ""
    return f"{type(fault).__name__}{where}"
