"""The verifier: check access tokens in memory, and keep that memory current in the background."""

import contextlib
import threading
from collections.abc import Collection
from types import TracebackType
from typing import Self, get_args

from vestibule.client import wire
from vestibule.client.background import EndedError
from vestibule.client.caller import Caller
from vestibule.client.errors import CallerRefusedError, CannotTellError, KeyUnknownError, WrongSetupError
from vestibule.client.forks import call_in_forked_children
from vestibule.client.keys import KeySet
from vestibule.client.memory import Memory, WhenStale
from vestibule.client.memory_updater import START_SECONDS, MemoryUpdater
from vestibule.client.throttled_warnings import ThrottledWarnings
from vestibule.model.clock import Clock, SystemClock
from vestibule.protocol.claims import Expected

_LEARN_SECONDS = START_SECONDS + 2 * wire.ANSWER_SECONDS


class ClosedError(RuntimeError):
    """The verifier was closed."""


class Verifier:
    """Checks access tokens. One for each process is enough; threads and tasks share it.

    `when_stale` decides about a valid token when the known revocations are more than `staleness` seconds old: `refuse`
    it with 503, `ask` Vestibule about each, or `accept` it although its session may have ended. Nothing is accepted
    before this process has once heard from Vestibule. `cookie` names a cookie that is read beside `Authorization:
    Bearer`; `origins` are the other sites whose pages may then send requests that change something. `leeway` is the
    allowed clock skew, and `key_refetch` the least time between two fetches because of an unknown key, both in seconds.

    Raises `ValueError` for arguments that cannot be used. The background work starts at the first check. `start` and
    `with` start it before, and raise an error if the service key or the URL is wrong.
    """

    def __init__(
        self,
        url: str,
        service_key: str,
        when_stale: WhenStale = "refuse",
        *,
        issuer: str = "vestibule",
        audience: str = "vestibule",
        cookie: str | None = None,
        origins: Collection[str] = (),
        staleness: float = 5.0,
        leeway: float = 30.0,
        remembered: int = 50_000,
        key_refetch: float = 60.0,
        plain_http: bool = False,
        clock: Clock | None = None,
    ) -> None:
        if when_stale not in get_args(WhenStale):
            raise ValueError(f"when_stale is one of {', '.join(get_args(WhenStale))}, not {when_stale!r}")
        if not staleness >= 2:
            raise ValueError("staleness is 2 seconds or more: the feed beats once a second")
        if remembered < 1 or key_refetch < 1 or not 0 <= leeway <= 60:
            raise ValueError("remembered and key_refetch are 1 or more, leeway is 0 to 60 seconds")
        self.cookie = cookie
        self.origins = wire.origins_of(origins)
        self._base = wire.base_of(url, plain_http=plain_http)
        self._service_key = wire.key_of(service_key)
        self._when_stale = when_stale
        self._clock = clock or SystemClock()
        self._expected = Expected(issuer, audience, leeway)
        self._memory = Memory(self._expected, when_stale, staleness, remembered, self._clock)
        self._key_refetch = key_refetch
        self._warnings = ThrottledWarnings(self._clock)
        self._parents: object = None
        self._begin()
        call_in_forked_children(self._begin_in_child)

    def check(self, token: str) -> Caller:
        """Return the caller; raises `CallerRefusedError`. Does no I/O, except while the first fetch is under way, for a
        new signing key, and for stale revocations with `when_stale="ask"`.
        """
        try:
            return self._decide(token)
        except (KeyUnknownError, CannotTellError) as refusal:
            if not self._may_learn_more(refusal):
                raise self._worded(refusal) from None
        try:
            updater = self._follow()
            return updater.ask(updater.check(token), _LEARN_SECONDS)
        except Exception as fault:  # every failure becomes a refusal
            raise self._refusal(fault) from None

    async def check_async(self, token: str) -> Caller:
        """Return the caller, without blocking other tasks; raises as `check` does."""
        try:
            return self._decide(token)
        except (KeyUnknownError, CannotTellError) as refusal:
            if not self._may_learn_more(refusal):
                raise self._worded(refusal) from None
        try:
            updater = self._follow()
            return await updater.ask_async(updater.check(token), _LEARN_SECONDS)
        except Exception as fault:  # every failure becomes a refusal
            raise self._refusal(fault) from None

    @property
    def age(self) -> float:
        """Return the seconds since the moment up to which all revocations are known; infinite before that."""
        return self._memory.age()

    def start(self) -> None:
        """Start the background work, if that is not done yet, and wait for the first answers, at most five seconds.

        Raises `ServiceRefusedError` if Vestibule rejects the service key, `NotVestibuleError` if the URL leads
        elsewhere or nowhere, and `RuntimeError` once closed. An outage raises nothing: the service starts, and answers
        as `when_stale` says.
        """
        updater = self._follow()
        with contextlib.suppress(TimeoutError, EndedError):
            updater.ask(updater.setup.all_tried.wait(), START_SECONDS)
        if (fault := updater.setup.fault) is not None:
            self._stop()  # a later check starts again
            raise fault

    def close(self) -> None:
        """Stop the background work and wait for its end. What is known grows stale from now on."""
        self._closed = True
        self._updater.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _decide(self, token: str) -> Caller:
        return self._memory.decide(token)

    def _begin(self) -> None:
        """Start afresh, at first and in a forked child: with a new lock, and without the keys learned before."""
        self._starting = threading.Lock()
        self._closed = False
        self._memory.begin()
        self._make_updater()

    def _begin_in_child(self) -> None:
        # Keep the parent's objects alive: closing them here would cut the parent's connections.
        self._parents = (self._updater, self._parents)
        self._begin()

    def _make_updater(self) -> None:
        self._memory.drop()
        self._keys = KeySet(self._clock, self._key_refetch)
        self._updater = MemoryUpdater(
            self._base,
            self._service_key,
            self._when_stale,
            self._memory,
            self._keys,
            self._expected,
            self._clock,
            self._warnings,
        )

    def _follow(self) -> MemoryUpdater:
        """Return the running updater, or a new one if the last ended by itself; raises `ClosedError`."""
        with self._starting:
            if self._closed:
                raise ClosedError("this Verifier is closed")
            if self._updater.ended:
                self._make_updater()
            self._updater.begin()
            return self._updater

    def _stop(self) -> None:
        with self._starting:
            self._updater.close()
            self._make_updater()

    def _may_learn_more(self, refusal: CallerRefusedError) -> bool:
        updater = self._updater
        if updater.ended or not updater.first_fetch_done:
            return True
        return self._keys.may_refetch() if isinstance(refusal, KeyUnknownError) else self._when_stale == "ask"

    def _refusal(self, fault: Exception) -> CallerRefusedError:
        """Return the refusal for an exception of a check: whatever went wrong, nobody is let in."""
        if isinstance(fault, CallerRefusedError):
            return self._worded(fault)
        if not isinstance(fault, TimeoutError | EndedError | ClosedError):
            self._warnings.warn("a check could not be made", wire.kinds_of(fault))
        return CannotTellError()

    def _worded(self, refusal: CallerRefusedError) -> CallerRefusedError:
        """Return `WrongSetupError` in the place of `CannotTellError`, if an operator must correct the setup."""
        fault = self._updater.setup.fault
        return WrongSetupError(str(fault)) if fault is not None and type(refusal) is CannotTellError else refusal
