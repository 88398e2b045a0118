"""Hold what one process knows, and the background that keeps it so."""

import contextlib
import ssl
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any

from vestibule.client import reasons, wire
from vestibule.client.background import EndedError
from vestibule.client.caller import Caller
from vestibule.client.errors import (
    CallerRefusedError,
    CannotTellError,
    ClocksDifferError,
    KeyUnknownError,
    NotReachedError,
    TokenInvalidError,
    WrongIssuerError,
    WrongSetupError,
)
from vestibule.client.memory import Memory
from vestibule.client.memory_updater import START_SECONDS, MemoryUpdater, Options
from vestibule.client.process import is_uwsgi_master
from vestibule.client.supervised import Supervised, reason_of
from vestibule.client.throttled_warnings import ThrottledWarnings

ENDED = "the background ended"
_LEARN_SECONDS = START_SECONDS + 2 * wire.ANSWER_SECONDS
Question = Callable[[MemoryUpdater], Coroutine[Any, Any, Any]]


class Following:
    """One process's memory, lock, thread, loop and connections: all that lives. A forked child makes its own.

    It is new, then running, and closed in the end. Between the end of a run that nobody closed and the next one, nobody
    waits: `when_stale` decides at once.
    """

    def __init__(self, options: Options) -> None:
        self.closed = False
        self.memory = Memory(options.expected, options.when_stale, options.staleness, options.remembered, options.clock)
        self._options = options
        self._warnings = ThrottledWarnings(options.clock)
        self._ended_before = False
        self._updater: MemoryUpdater | None = None
        self._supervised = Supervised(self._made, self._note_end, options.clock)

    @property
    def updater(self) -> MemoryUpdater:
        """Return what runs in the background, or ran there last, or will run first."""
        return self._updater or self._made()

    def begin(self) -> None:
        """Start the background, unless it runs. Raises Python's own error if no thread or descriptor is left."""
        if not is_uwsgi_master():  # there, the first check of each worker starts one
            self._supervised.begin()

    def start(self) -> None:
        """Begin, and wait for the first answers; raises what an operator must correct."""
        self.begin()
        with contextlib.suppress(TimeoutError, EndedError):
            self._supervised.ask(lambda updater: updater.setup.all_tried.wait(), START_SECONDS)
        self.require_setup()

    def wait_ready(self, seconds: float) -> None:
        """Begin, and wait until checks can be decided; raises `NotReachedError` if that takes longer."""
        self.begin()
        try:
            self._supervised.ask(MemoryUpdater.wait_ready, seconds)
        except (TimeoutError, EndedError):
            self.require_setup()
            base = self._options.base
            raise NotReachedError(f"{base} was not heard from in {seconds:g} s; the log says why") from None
        self.require_setup()

    def require_setup(self) -> None:
        """Raise what an operator must correct, if anything."""
        if (fault := self._setup_fault) is not None:
            raise fault

    def close(self) -> None:
        """End the background, within two seconds. What is known decides until it is stale, then nobody is let in."""
        self.closed = True
        self.memory.close()
        if not self._supervised.close():
            self._warnings.warn("the background", "it did not end in time, and is left behind; it lets nobody in")

    def may_learn_more(self, refusal: CallerRefusedError) -> bool:
        """Return whether the background may decide what memory cannot. Starts it, if it is not there."""
        if self.closed:
            return False
        try:
            self.begin()
        except Exception as fault:  # no thread is left: refused as in an outage
            self._warnings.warn("the background could not start", reasons.kinds_of(fault))
            return False
        updater = self.updater
        if not updater.first_fetch_done:
            return True
        if isinstance(refusal, KeyUnknownError):
            return updater.keys.may_refetch(listed=refusal.listed)
        return self._options.when_stale == "ask" and not isinstance(refusal, ClocksDifferError)

    def learn(self, token: str) -> Caller:
        """Return the caller, after the background has learned more; raises `CallerRefusedError`."""
        try:
            return self._supervised.ask(lambda updater: updater.check(token), _LEARN_SECONDS)
        except Exception as fault:  # every failure becomes a refusal
            raise self._refusal(fault) from None

    async def learn_async(self, token: str) -> Caller:
        """Return the caller, without blocking other tasks; raises as `learn` does."""
        try:
            return await self._supervised.ask_async(lambda updater: updater.check(token), _LEARN_SECONDS)
        except Exception as fault:  # every failure becomes a refusal
            raise self._refusal(fault) from None

    def worded(self, refusal: CallerRefusedError) -> CallerRefusedError:
        """Return `WrongSetupError` in the place of a refusal that says nothing of the token, because an operator must
        correct the setup first: of `CannotTellError`, and of every refusal of a token by the wrong issuer or audience.
        """
        fault = self._setup_fault
        if fault is None or isinstance(refusal, WrongSetupError):
            return refusal
        unsure = CannotTellError | TokenInvalidError if isinstance(fault, WrongIssuerError) else CannotTellError
        return WrongSetupError(str(fault)) if isinstance(refusal, unsure) else refusal

    @property
    def _setup_fault(self) -> NotReachedError | None:
        return None if self._updater is None else self._updater.setup.fault

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return wire.context_of(self._options.base, self._options.ssl_context)

    def _made(self) -> MemoryUpdater:
        """Return the next one to run. Only checks that meet the first one wait for it."""
        made = MemoryUpdater(self._options, self._tls, self.memory, self._warnings)
        if self._ended_before:
            made.end_first_fetch()
        self._updater = made
        return made

    def _note_end(self, fault: BaseException | None, pause: float) -> None:
        """Drop what lets callers in, or `accept` would let them in for ever; say why it ended."""
        self.memory.drop()
        self._ended_before = True
        self._warnings.warn(ENDED, f"{reason_of(fault)}; again in {pause:g} s")

    def _refusal(self, fault: Exception) -> CallerRefusedError:
        """Return the refusal for an exception of a check: whatever went wrong, nobody is let in."""
        if isinstance(fault, CallerRefusedError):
            return self.worded(fault)
        if not isinstance(fault, TimeoutError | EndedError):
            self._warnings.warn("a check could not be made", reason_of(fault))
        return CannotTellError()
