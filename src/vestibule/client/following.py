"""One run of the background follower, which keeps a service's memory true.

Whatever is tied to a loop or a thread is in here. Each run begins with objects of its own: after a fork, and after an
end that nobody asked for.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from vestibule.client import wire
from vestibule.client.background import Background
from vestibule.client.caller import Caller
from vestibule.client.complaints import Complaints
from vestibule.client.errors import CannotTellError, KeyUnknownError, SessionOverError
from vestibule.client.follow import Follower
from vestibule.client.introspect import Introspection
from vestibule.client.keys import KeySet
from vestibule.client.memory import Memory, Policy
from vestibule.client.setup import KEYS, Setup
from vestibule.crypto.entropy import spread
from vestibule.crypto.jwk import PublicKey
from vestibule.model.clock import Clock
from vestibule.protocol.claims import Expected

START_SECONDS = 5.0
"""How long the first requests may wait for the first look, before they are answered 503."""

ENDED = "what follows Vestibule in the background has ended; the next check starts it anew"
_RETRY_KEYS_SECONDS = 2.0
_EARLY = 0.8
T = TypeVar("T")


class Following:
    """Keeps `memory` true from `begin` to `close`. `looked`: the first attempt is over, whether it
    succeeded or not; `ended`: the run ended, though nobody asked for that.
    """

    def __init__(
        self,
        base: str,
        service_key: str,
        policy: Policy,
        memory: Memory,
        keys: KeySet,
        expected: Expected,
        clock: Clock,
        complaints: Complaints,
    ) -> None:
        self.setup = Setup(complaints)
        self.looked = False
        self.ended = False
        self._base = base
        self._service_key = service_key
        self._policy = policy
        self._memory = memory
        self._keys = keys
        self._expected = expected
        self._clock = clock
        self._complaints = complaints
        self._closing = False
        self._background: Background | None = None
        self._opened = contextlib.AsyncExitStack()
        self._first_look = asyncio.Event()
        self._other_keys = asyncio.Event()
        self._vouching: frozenset[str] = frozenset()

    def begin(self) -> Background:
        """Start, where that is not done; raises what the machine does that has no thread or no descriptor left."""
        if self._background is None:
            self._background = Background(self._work, self._end, self._opened.aclose)
        return self._background

    def ask(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """The answer, for a thread; raises `TimeoutError` or `Ended`."""
        return self.begin().ask(question, seconds)

    async def ask_async(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """The answer, for a task; raises `TimeoutError` or `Ended`."""
        return await self.begin().ask_async(question, seconds)

    def close(self) -> None:
        """End it, and wait for the end."""
        self._closing = True
        if self._background is not None:
            self._background.close()

    async def mend(self, token: str) -> Caller:
        """Who is calling, after all that can be done about it; raises `CallerRefusedError`."""
        await self._first_look.wait()
        try:
            return self._memory.decide(token)
        except KeyUnknownError:
            await self._keys.refetch(self._http)
            self._take_keys(self._keys.in_force)
        except CannotTellError:
            pass
        try:
            return self._memory.decide(token)
        except CannotTellError:
            if self._policy != "ask":
                raise
        try:
            return await self._introspection.ask(token)
        except SessionOverError:
            self._memory.end(token)
            raise

    async def _work(self) -> None:
        self._http = await self._opened.enter_async_context(wire.client(self._base, self._service_key))
        self._introspection = Introspection(self._http, self._expected, self._clock)
        follower = Follower(
            self._memory.revoked, self._clock, self._heard, self.setup, self._hear_keys, self._memory.clocks
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(follower.follow(self._http))
            tasks.create_task(self._keep_keys())
            tasks.create_task(self._end_patience())
            tasks.create_task(self._end_look_in_vain())

    def _end(self, fault: BaseException | None) -> None:
        """By itself, for whatever reason: nothing that is known counts any more, so that the next check begins anew."""
        if not self._closing:
            self._memory.drop()
            self.ended = True  # from here on, others begin anew, whose knowledge is not to be forgotten
            self._complaints.warn(ENDED, wire.kinds_of(fault))

    async def _keep_keys(self) -> None:
        while True:
            try:
                await self._keys.fetch(self._http)
                self._take_keys(self._keys.in_force)
                self.setup.worked(KEYS)
                self._heard()
                pause = self._keys.keep_seconds * _EARLY
            except Exception as fault:  # whatever it is, it is tried again, and has been told
                self.setup.failed(KEYS, wire.explained(fault, self._http.base_url))
                pause = _RETRY_KEYS_SECONDS
            # A fifth more or less, and so never longer than the keys may be kept.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(spread(pause)):
                    await self._other_keys.wait()
                    self._other_keys.clear()
                    # Other processes of Vestibule know in a second; and not all services ask at the same moment.
                    await asyncio.sleep(spread(_RETRY_KEYS_SECONDS))

    async def _end_patience(self) -> None:
        await asyncio.sleep(START_SECONDS)
        self._end_first_look()

    async def _end_look_in_vain(self) -> None:
        """Nobody waits for what will not come."""
        await self.setup.all_tried.wait()
        if self.setup.fault is not None:
            self._end_first_look()

    def _heard(self) -> None:
        if self._keys.by_id and self._memory.heard:
            self._end_first_look()

    def _hear_keys(self, listed: list[str]) -> None:
        """A key that was withdrawn vouches for nothing from now on; what is new is fetched soon."""
        if self._keys.hear(listed):
            self._other_keys.set()
        if (in_force := self._keys.in_force).keys() != self._vouching:
            self._take_keys(in_force)

    def _take_keys(self, in_force: Mapping[str, PublicKey]) -> None:
        self._memory.keys, self._vouching = in_force, frozenset(in_force)

    def _end_first_look(self) -> None:
        self.looked = True
        self._first_look.set()
