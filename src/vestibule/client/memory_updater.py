"""Keep a service's memory current in the background: keys and revocations.

Everything that belongs to a loop or a thread is in here. After a fork, or when the work has ended by itself, a new
`MemoryUpdater` takes over.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from vestibule.client import wire
from vestibule.client.background import Background
from vestibule.client.caller import Caller
from vestibule.client.errors import CannotTellError, KeyUnknownError, SessionOverError
from vestibule.client.feed_reader import FeedReader
from vestibule.client.introspect import Introspection
from vestibule.client.keys import KeySet
from vestibule.client.memory import Memory, WhenStale
from vestibule.client.setup import KEYS, Setup
from vestibule.client.throttled_warnings import ThrottledWarnings
from vestibule.crypto.entropy import spread
from vestibule.crypto.jwk import PublicKey
from vestibule.model.clock import Clock
from vestibule.protocol.claims import Expected

START_SECONDS = 5.0
"""How long the first requests may wait for the first fetch, before they are answered 503."""

ENDED = "the background work has ended by itself; the next check starts it again"
_RETRY_KEYS_SECONDS = 2.0
_EARLY = 0.8  # with a spread of a fifth, a fetch is never later than the keys may be kept
T = TypeVar("T")


class MemoryUpdater:
    """Keeps `memory` current from `begin` to `close`.

    `first_fetch_done`: the first attempt is over, whether it succeeded or not. `ended`: the work ended though `close`
    was not called.
    """

    def __init__(
        self,
        base: str,
        service_key: str,
        when_stale: WhenStale,
        memory: Memory,
        keys: KeySet,
        expected: Expected,
        clock: Clock,
        warnings: ThrottledWarnings,
    ) -> None:
        self.setup = Setup(warnings)
        self.first_fetch_done = False
        self.ended = False
        self._base = base
        self._service_key = service_key
        self._when_stale = when_stale
        self._memory = memory
        self._keys = keys
        self._expected = expected
        self._clock = clock
        self._warnings = warnings
        self._closing = False
        self._background: Background | None = None
        self._opened = contextlib.AsyncExitStack()
        self._first_fetch = asyncio.Event()
        self._keys_changed = asyncio.Event()
        self._accepted_ids: frozenset[str] = frozenset()

    def begin(self) -> Background:
        """Start the work once, and return its thread. Raises Python's own error if no thread or descriptor is left."""
        if self._background is None:
            self._background = Background(self._work, self._note_end, self._opened.aclose)
        return self._background

    def ask(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """Return the answer to a thread; raises `TimeoutError` or `EndedError`."""
        return self.begin().ask(question, seconds)

    async def ask_async(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """Return the answer to a task; raises `TimeoutError` or `EndedError`."""
        return await self.begin().ask_async(question, seconds)

    def close(self) -> None:
        """Cancel the work and wait for its end."""
        self._closing = True
        if self._background is not None:
            self._background.close()

    async def check(self, token: str) -> Caller:
        """Return the caller, after fetching keys or asking Vestibule if that can decide it; raises
        `CallerRefusedError`.
        """
        await self._first_fetch.wait()
        try:
            return await self._decide_with_new_keys(token)
        except CannotTellError:
            if self._when_stale != "ask":
                raise
        return await self._introspect(token)

    async def _decide_with_new_keys(self, token: str) -> Caller:
        try:
            return self._memory.decide(token)
        except KeyUnknownError:
            await self._keys.refetch(self._http)
            self._use_keys(self._keys.in_force)
        return self._memory.decide(token)

    async def _introspect(self, token: str) -> Caller:
        try:
            return await self._introspection.ask(token)
        except SessionOverError:
            self._memory.end(token)
            raise

    async def _work(self) -> None:
        self._http = await self._opened.enter_async_context(wire.client(self._base, self._service_key))
        self._introspection = Introspection(self._http, self._expected, self._clock)
        feed = FeedReader(
            self._memory.revoked, self._clock, self._note_news, self.setup, self._note_listed_keys, self._memory.clocks
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(feed.follow(self._http))
            tasks.create_task(self._keep_keys())
            tasks.create_task(self._end_wait_at_timeout())
            tasks.create_task(self._end_wait_at_setup_fault())

    def _note_end(self, fault: BaseException | None) -> None:
        """Drop what is known, so that the next check starts a new updater. Does nothing after `close`."""
        if not self._closing:
            self._memory.drop()
            self.ended = True  # last: from here on another updater may start, whose memory must not be dropped
            self._warnings.warn(ENDED, wire.kinds_of(fault))

    async def _keep_keys(self) -> None:
        while True:
            try:
                await self._fetch_keys()
                pause = self._keys.keep_seconds * _EARLY
            except Exception as fault:  # every failure is logged and retried
                self.setup.failed(KEYS, wire.explained(fault, self._http.base_url))
                pause = _RETRY_KEYS_SECONDS
            await self._wait_for_changed_keys(pause)

    async def _fetch_keys(self) -> None:
        await self._keys.fetch(self._http)
        self._use_keys(self._keys.in_force)
        self.setup.worked(KEYS)
        self._note_news()

    async def _wait_for_changed_keys(self, seconds: float) -> None:
        """Wait until the feed lists other keys, or until `seconds` are over, give or take a fifth."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(spread(seconds)):
                await self._keys_changed.wait()
                self._keys_changed.clear()
                # Other processes of Vestibule know the keys within a second, and services must not all ask at once.
                await asyncio.sleep(spread(_RETRY_KEYS_SECONDS))

    async def _end_wait_at_timeout(self) -> None:
        await asyncio.sleep(START_SECONDS)
        self._end_first_fetch()

    async def _end_wait_at_setup_fault(self) -> None:
        """End the wait for the first fetch as soon as an operator is needed."""
        await self.setup.all_tried.wait()
        if self.setup.fault is not None:
            self._end_first_fetch()

    def _note_news(self) -> None:
        if self._keys.by_id and self._memory.heard:
            self._end_first_fetch()

    def _note_listed_keys(self, listed: list[str]) -> None:
        """Stop accepting keys that are no longer listed; fetch new ones soon."""
        if self._keys.hear(listed):
            self._keys_changed.set()
        if (in_force := self._keys.in_force).keys() != self._accepted_ids:
            self._use_keys(in_force)

    def _use_keys(self, in_force: Mapping[str, PublicKey]) -> None:
        self._memory.keys, self._accepted_ids = in_force, frozenset(in_force)

    def _end_first_fetch(self) -> None:
        self.first_fetch_done = True
        self._first_fetch.set()
