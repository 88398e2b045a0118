"""Keep a service's memory current in the background: keys, revocations and permissions of roles."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from vestibule.client import reasons, wire
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CannotTellError, ClocksDifferError, KeyUnknownError, SessionOverError
from vestibule.client.feed_follower import FeedFollower
from vestibule.client.feed_reader import FeedReader
from vestibule.client.introspect import Introspection
from vestibule.client.keys import KeySet
from vestibule.client.memory import Memory, WhenStale
from vestibule.client.permission_keeper import PermissionKeeper
from vestibule.client.setup import KEYS, Setup
from vestibule.client.throttled_warnings import ThrottledWarnings
from vestibule.crypto.entropy import spread
from vestibule.crypto.jwk import PublicKey
from vestibule.model.clock import Clock
from vestibule.protocol.claims import Expected

START_SECONDS = 5.0
"""How long the first requests may wait for the first fetch, before they are answered 503."""

_RETRY_KEYS_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.05
_EARLY = 0.8  # of the time for which keys may be kept: pauses vary by a fifth, and keys must be fetched in time


@dataclass(frozen=True)
class Options:
    """The arguments of a `Verifier`, after they were checked."""

    base: str
    service_key: str = field(repr=False)
    when_stale: WhenStale
    expected: Expected
    staleness: float
    remembered: int
    key_refetch: float
    clock: Clock
    ssl_context: ssl.SSLContext | None = None


class StoppedError(Exception):
    """A task that should run until it is cancelled has ended."""


class MemoryUpdater:
    """Keeps `memory` current while an event loop runs `work`. Holds everything that belongs to that one loop.

    `first_fetch_done`: the first attempt is over, whether it succeeded or not.
    """

    def __init__(self, options: Options, tls: ssl.SSLContext, memory: Memory, warnings: ThrottledWarnings) -> None:
        self.keys = KeySet(options.clock, options.key_refetch, memory.listing)
        self.setup = Setup(warnings, options.base)
        self._warnings = warnings
        self._permissions = PermissionKeeper(
            memory.permissions, lambda: memory.keys, options.expected, options.clock, warnings
        )
        self.first_fetch_done = False
        self._options = options
        self._tls = tls
        self._memory = memory
        self._introspection: Introspection | None = None
        self._opened = contextlib.AsyncExitStack()
        self._first_fetch = asyncio.Event()
        self._keys_changed = asyncio.Event()
        self._accepted_ids: frozenset[str] = frozenset()

    @property
    def succeeded(self) -> bool:
        """Return whether a heartbeat has come."""
        return self._memory.heard

    @property
    def _ready(self) -> bool:
        """Return whether checks can be decided. Even the first heartbeat may be stale, if Vestibule cannot reach its
        database.
        """
        recent = self._options.when_stale == "accept" or self._memory.age() <= self._options.staleness
        return bool(self._memory.keys) and self._memory.heard and recent and self._permissions.is_settled

    async def work(self) -> None:
        """Follow the feed, and fetch keys and permissions, until cancelled. Raises an `ExceptionGroup` if a task ends
        before that.
        """
        self._http = await self._opened.enter_async_context(self._client())
        self._introspection = self._introspection_by(self._http)
        streaming = await self._opened.enter_async_context(self._client(idle_connections=0))
        feed = FeedFollower(self._feed_reader, self.setup, self._options.clock)
        async with asyncio.TaskGroup() as tasks:
            lasting = [
                tasks.create_task(work)
                for work in (
                    feed.keep_streaming(streaming),
                    feed.keep_polling(self._http),
                    self._keep_keys(),
                    self._permissions.keep(self._http, self._note_progress),
                )
            ]
            tasks.create_task(self._end_first_fetch_at_timeout())
            tasks.create_task(self._end_first_fetch_at_setup_fault())
            await asyncio.wait(lasting, return_when=asyncio.FIRST_COMPLETED)
            raise StoppedError  # so that the group ends the other tasks: it ignores that one was cancelled

    async def release(self) -> None:
        """Close what `work` opened."""
        await self._opened.aclose()

    async def wait_ready(self) -> None:
        """Wait until checks can be decided, or an operator must correct something first."""
        while not (self._ready or self.setup.fault):  # noqa: ASYNC110  # a fault found later sets no event
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    def end_first_fetch(self) -> None:
        """Let no check wait for the first fetch any longer."""
        self.first_fetch_done = True
        self._first_fetch.set()

    async def check(self, token: str) -> Caller:
        """Return the caller. Fetch keys or ask Vestibule about the token, if that can decide it. Raises
        `CallerRefusedError`.
        """
        await self._first_fetch.wait()
        try:
            return await self._decide_after_refetch(token)
        except (KeyUnknownError, ClocksDifferError):
            raise  # without asking Vestibule: anybody can make as many such tokens as they like
        except CannotTellError:
            if self._options.when_stale != "ask":
                raise
        return await self._introspect(token)

    async def _decide_after_refetch(self, token: str) -> Caller:
        try:
            return self._memory.decide(token)
        except KeyUnknownError as unknown:
            await self._refetch(listed=unknown.listed)
        return self._memory.decide(token)

    async def _refetch(self, *, listed: bool) -> None:
        """Fetch the keys because of an unknown key id, if the limit allows it. Failures are logged once a minute."""
        try:
            await self.keys.refetch(self._http, listed=listed)
        except Exception as fault:  # every failure keeps the known keys
            self._warnings.warn("the keys could not be fetched for an unknown one", reasons.why(fault))
        self._use_keys(self.keys.in_force)

    async def _introspect(self, token: str) -> Caller:
        try:
            return await self._ask(token)
        except SessionOverError:
            self._memory.end(token)
            raise

    async def _ask(self, token: str) -> Caller:
        if self._introspection is not None:
            return await self._introspection.ask(token)
        async with self._client() as http:  # `work` has not opened its own client yet
            return await self._introspection_by(http).ask(token)

    def _introspection_by(self, http: httpx.AsyncClient) -> Introspection:
        return Introspection(http, self._options.expected, self._memory.token_clock, self._memory.permissions)

    def _client(self, idle_connections: int = wire.IDLE_CONNECTIONS) -> httpx.AsyncClient:
        return wire.client(self._options.base, self._options.service_key, self._tls, idle_connections=idle_connections)

    def _feed_reader(self) -> FeedReader:
        return FeedReader(
            self._memory.revoked,
            self._options.clock,
            self._note_progress,
            self.setup,
            self._note_listed_keys,
            self._memory.clocks,
            self._options.expected,
            self._options.staleness,
            self._permissions.note_listed,
        )

    async def _keep_keys(self) -> None:
        retry = _RETRY_KEYS_SECONDS
        while True:
            try:
                await self._fetch_keys()
                until_fetch = self.keys.keep_seconds * _EARLY
                # If a listed key was not fetched, a cache may have answered, or this kit does not know the key's type.
                if self.keys.lacks_listed_key:
                    pause, retry = retry, min(2 * retry, until_fetch)
                else:
                    pause, retry = until_fetch, _RETRY_KEYS_SECONDS
            except Exception as fault:  # every failure is logged and retried
                self.setup.note_failed(KEYS, reasons.as_setup_fault(fault, self._http.base_url))
                pause = _RETRY_KEYS_SECONDS
            await self._wait_for_changed_keys(pause)

    async def _fetch_keys(self) -> None:
        await self.keys.fetch(self._http)
        self._use_keys(self.keys.in_force)
        self.setup.note_fetched(KEYS)
        self._note_progress()

    async def _wait_for_changed_keys(self, seconds: float) -> None:
        """Wait until the feed lists other keys, or until `seconds` are over, give or take a fifth."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(spread(seconds)):
                await self._keys_changed.wait()
                self._keys_changed.clear()
                # Wait until all processes of Vestibule know the keys. The spread keeps services from asking at once.
                await asyncio.sleep(spread(_RETRY_KEYS_SECONDS))

    async def _end_first_fetch_at_timeout(self) -> None:
        await asyncio.sleep(START_SECONDS)
        self.end_first_fetch()

    async def _end_first_fetch_at_setup_fault(self) -> None:
        """End the wait for the first fetch as soon as an operator is needed."""
        await self.setup.all_tried.wait()
        if self.setup.fault is not None:
            self.end_first_fetch()

    def _note_progress(self) -> None:
        self._memory.purge()
        if self._ready:
            self.end_first_fetch()

    def _note_listed_keys(self, listed: list[str], as_of: float) -> None:
        """Stop accepting keys that are no longer listed; fetch new ones soon."""
        if self.keys.note_listed(listed, as_of):
            self._keys_changed.set()
        if (in_force := self.keys.in_force).keys() != self._accepted_ids:
            self._use_keys(in_force)

    def _use_keys(self, in_force: Mapping[str, PublicKey]) -> None:
        self._memory.keys, self._memory.keys_as_of = in_force, self.keys.as_of
        self._accepted_ids = frozenset(in_force)
