"""Hold what one process knows, and the background work that keeps it current."""

import contextlib
import ssl

from vestibule.client import reasons, wire
from vestibule.client.background import EndedError
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import (
    CallerRefusedError,
    CannotTellError,
    ClocksDifferError,
    KeyUnknownError,
    TokenInvalidError,
    WrongSetupError,
)
from vestibule.client.errors import NotReachedError, WrongIssuerError
from vestibule.client.memory import Memory
from vestibule.client.memory_updater import START_SECONDS, MemoryUpdater, Options
from vestibule.client.process import is_uwsgi_master
from vestibule.client.supervised import Supervised, reason_of
from vestibule.client.throttled_warnings import ThrottledWarnings

ENDED = "the background ended"
_LEARN_SECONDS = START_SECONDS + 2 * wire.ANSWER_SECONDS


class Following:
    """All that lives in one process: memory, lock, thread, loop and connections. A forked child makes its own.

    The background work runs from `begin` to `close`. If it fails in between, it is started again after a pause. No
    check waits in that pause: `when_stale` decides at once.
    """

    def __init__(self, options: Options) -> None:
        self.closed = False
        self.memory = Memory(options.expected, options.when_stale, options.staleness, options.remembered, options.clock)
        self._options = options
        self._warnings = ThrottledWarnings(options.clock)
        self._ended_before = False
        self._updater: MemoryUpdater | None = None
        self._tls_context: ssl.SSLContext | None = None
        self._supervised = Supervised(self._new_updater, self._note_end, options.clock)

    @property
    def updater(self) -> MemoryUpdater:
        """Return what runs in the background. If nothing runs, return what ran last or will run first."""
        return self._updater or self._new_updater()

    def begin(self) -> None:
        """Start the background work, unless it runs. Raises Python's own error if no thread or descriptor is left."""
        if not is_uwsgi_master():  # uWSGI's workers start it themselves, at their first check
            self._supervised.begin()

    def start(self) -> None:
        """Begin, and wait for the first answers, at most `START_SECONDS`; raises as `raise_setup_fault` does."""
        self.begin()
        with contextlib.suppress(TimeoutError, EndedError):
            self._supervised.call(lambda updater: updater.setup.all_tried.wait(), START_SECONDS)
        self.raise_setup_fault()

    def wait_ready(self, seconds: float) -> None:
        """Begin, and wait until checks can be decided. Raises `NotReachedError` if that takes longer than `seconds`;
        raises as `raise_setup_fault` does.
        """
        self.begin()
        try:
            self._supervised.call(MemoryUpdater.wait_ready, seconds)
        except (TimeoutError, EndedError):
            self.raise_setup_fault()
            base = self._options.base
            raise NotReachedError(f"{base} was not heard from in {seconds:g} s; the log says why") from None
        self.raise_setup_fault()

    def raise_setup_fault(self) -> None:
        """Raise the `NotReachedError` about what an operator must correct, if there is something."""
        if (fault := self._setup_fault) is not None:
            raise fault

    def close(self) -> None:
        """End the background, within two seconds. Checks use what is known until it is stale; then nobody is let in."""
        self.closed = True
        self.memory.close()
        if not self._supervised.close():
            self._warnings.warn("the background", "it did not end in time, and is left behind; it lets nobody in")

    def may_learn_more(self, refusal: CallerRefusedError) -> bool:
        """Return whether the background may decide what memory cannot. Starts the background if it does not run."""
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
        """Have the background learn more, then return the caller; raises `CallerRefusedError`. Blocks the thread."""
        try:
            return self._supervised.call(lambda updater: updater.check(token), _LEARN_SECONDS)
        except Exception as fault:  # every failure becomes a refusal
            raise self._refusal(fault) from None

    async def learn_async(self, token: str) -> Caller:
        """Do what `learn` does, without blocking other tasks; raises as `learn` does."""
        try:
            return await self._supervised.call_async(lambda updater: updater.check(token), _LEARN_SECONDS)
        except Exception as fault:  # every failure becomes a refusal
            raise self._refusal(fault) from None

    def explained(self, refusal: CallerRefusedError) -> CallerRefusedError:
        """Return `WrongSetupError`, which says what an operator must correct, if a wrong setup caused the refusal;
        otherwise the refusal itself.

        A wrong service key or URL causes `CannotTellError`. A wrong issuer or audience causes `TokenInvalidError` too.
        """
        fault = self._setup_fault
        if fault is None or isinstance(refusal, WrongSetupError):
            return refusal
        by_setup = CannotTellError | TokenInvalidError if isinstance(fault, WrongIssuerError) else CannotTellError
        return WrongSetupError(str(fault)) if isinstance(refusal, by_setup) else refusal

    @property
    def _setup_fault(self) -> NotReachedError | None:
        return None if self._updater is None else self._updater.setup.fault

    @property
    def _tls(self) -> ssl.SSLContext:
        # No `cached_property`: until Python 3.12 all instances share its lock, and a child that is forked while another
        # thread loads certificates would inherit it locked. Two threads may make a context each.
        if self._tls_context is None:
            self._tls_context = wire.context_of(self._options.base, self._options.ssl_context)
        return self._tls_context

    def _new_updater(self) -> MemoryUpdater:
        """Return a new updater for the next run. Checks wait for the first fetch of the first run only."""
        updater = MemoryUpdater(self._options, self._tls, self.memory, self._warnings)
        if self._ended_before:
            updater.end_first_fetch()
        self._updater = updater
        return updater

    def _note_end(self, fault: BaseException | None, pause: float) -> None:
        """Drop what lets callers in: with `when_stale="accept"` they would be let in for ever. Log why the background
        ended.
        """
        self.memory.drop()
        self._ended_before = True
        self._warnings.warn(ENDED, f"{reason_of(fault)}; again in {pause:g} s")

    def _refusal(self, fault: Exception) -> CallerRefusedError:
        """Return the refusal for an exception of a check: whatever went wrong, nobody is let in."""
        if isinstance(fault, CallerRefusedError):
            return self.explained(fault)
        if not isinstance(fault, TimeoutError | EndedError):
            self._warnings.warn("a check could not be made", reason_of(fault))
        return CannotTellError()
