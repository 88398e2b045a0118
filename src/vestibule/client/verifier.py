"""The verifier: who is calling, by their token, decided in memory; and what keeps that memory true."""

import asyncio
import contextlib
import os
import threading
import weakref
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self, get_args

import httpx

from vestibule.client import wire
from vestibule.client.background import Background
from vestibule.client.caller import Caller
from vestibule.client.errors import CallerRefused, CannotTell, KeyUnknown, NotReached, SessionOver, WrongSetup
from vestibule.client.follow import Follower
from vestibule.client.introspect import Introspection
from vestibule.client.keys import KeySet
from vestibule.client.memory import Memory, Policy
from vestibule.client.setup import KEYS, Setup
from vestibule.crypto.entropy import spread
from vestibule.crypto.jwk import PublicKey
from vestibule.model.clock import Clock, SystemClock
from vestibule.protocol.claims import Expected

START_SECONDS = 5.0
"""How long the first requests may wait for the first look, before they are answered 503."""

_MEND_SECONDS = START_SECONDS + 2 * wire.ANSWER_SECONDS
_RETRY_KEYS_SECONDS = 2.0
_EARLY = 0.8


class Verifier:
    """Knows who is calling. One for each process is enough; threads and tasks share it.

    `policy` says what becomes of a good token when what is known of revocations is more than `staleness` seconds old:
    `refuse` it with 503, `ask` Vestibule about each, or `accept` it although its session may be over. `cookie` names
    a cookie that is taken as well as `Authorization: Bearer`; `origins` are the other sites whose pages may then send
    what changes something. `key_refetch`: how often, in seconds, an unknown key may cause a fetch.
    Raises `ValueError` for what cannot be. Starts by itself at the first check; `start` and `with` raise what is wrong
    with the key or the URL.
    """

    def __init__(
        self,
        url: str,
        service_key: str,
        policy: Policy = "refuse",
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
        if policy not in get_args(Policy):
            raise ValueError(f"policy is one of {', '.join(get_args(Policy))}, not {policy!r}")
        if staleness < 2:
            raise ValueError("staleness is 2 seconds or more: the feed beats once a second")
        if remembered < 1 or key_refetch < 1 or not 0 <= leeway <= 60:
            raise ValueError("remembered and key_refetch are 1 or more, leeway is 0 to 60 seconds")
        self.cookie = cookie
        self.origins = wire.origins_of(origins)
        self._base = wire.base_of(url, plain_http=plain_http)
        self._service_key = wire.key_of(service_key)
        self._policy = policy
        self._clock = clock or SystemClock()
        self._expected = Expected(issuer, audience, leeway)
        self._memory = Memory(self._expected, policy, staleness, remembered, self._clock)
        self._keys = KeySet(self._clock, key_refetch)
        self._background: Background | None = None
        self._begin()
        _forget_after_fork(self)

    def check(self, token: str) -> Caller:
        """The caller; raises `CallerRefused`. No I/O, but for the three cases in which there is nothing else to do:
        the first look is under way, the token's key is new, or the policy is to ask.
        """
        try:
            return self._decide(token)
        except (KeyUnknown, CannotTell) as refusal:
            if not self._may_mend(refusal):
                raise self._worded(refusal) from None
        try:
            return self._follow().ask(self._mend(token), _MEND_SECONDS)
        except TimeoutError:
            raise CannotTell from None

    async def check_async(self, token: str) -> Caller:
        """The same for a task: whatever has to wait holds up no other."""
        try:
            return self._decide(token)
        except (KeyUnknown, CannotTell) as refusal:
            if not self._may_mend(refusal):
                raise self._worded(refusal) from None
        try:
            return await self._follow().ask_async(self._mend(token), _MEND_SECONDS)
        except TimeoutError:
            raise CannotTell from None

    @property
    def age(self) -> float:
        """Seconds since the moment up to which all revocations are known; infinite before the first look."""
        return self._memory.age()

    def start(self) -> None:
        """Begin to follow, if that is not done yet, and wait for the first answers.

        Raises `ServiceRefused` where Vestibule does not take the service key, and `NotVestibule` where the URL leads to
        something else or nowhere. An outage is none of these: the service starts, and answers as its policy says.
        Raises `RuntimeError` once closed.
        """
        with contextlib.suppress(TimeoutError):
            self._follow().ask(self._setup.all_tried.wait(), START_SECONDS)
        if (fault := self._setup.fault) is not None:
            self._stop()
            self._begin()  # a later check looks anew
            raise fault

    def _follow(self) -> Background:
        with self._starting:
            if self._closed:
                raise RuntimeError("this Verifier is closed")
            if self._background is None:
                self._background = Background(self._work)
            return self._background

    def close(self) -> None:
        """Stop following, and wait for the end of it. What is known grows stale from now on."""
        self._closed = True
        self._stop()

    def _stop(self) -> None:
        with self._starting:
            background, self._background = self._background, None
        if background is not None:
            background.close()

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
        """As at first; also after a fork, whose child has no threads but one, and locks that nobody will open."""
        self._starting = threading.Lock()
        self._closed = False
        self._background = None
        self._looked = False
        self._first_look = asyncio.Event()
        self._other_keys = asyncio.Event()
        self._vouching: frozenset[str] = frozenset()
        self._setup = Setup()

    def _may_mend(self, refusal: CallerRefused) -> bool:
        if not self._looked:
            return True
        return self._keys.may_refetch() if isinstance(refusal, KeyUnknown) else self._policy == "ask"

    def _worded(self, refusal: CallerRefused) -> CallerRefused:
        """The refusal, told apart where it is no outage that makes it."""
        fault = self._setup.fault
        return WrongSetup(str(fault)) if fault is not None and type(refusal) is CannotTell else refusal

    async def _mend(self, token: str) -> Caller:
        await self._first_look.wait()
        try:
            return self._decide(token)
        except KeyUnknown:
            await self._keys.refetch(self._http)
            self._take_keys(self._keys.in_force)
        except CannotTell:
            pass
        try:
            return self._decide(token)
        except CannotTell as refusal:
            if self._policy != "ask":
                raise self._worded(refusal) from None
        try:
            return await self._introspection.ask(token)
        except SessionOver:
            self._memory.end(token)
            raise

    async def _work(self) -> None:
        async with wire.client(self._base, self._service_key) as self._http:
            self._introspection = Introspection(self._http, self._expected, self._clock)
            follower = Follower(self._memory.revoked, self._clock, self._heard, self._setup, self._hear_keys)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(follower.follow(self._http))
                tasks.create_task(self._keep_keys())
                tasks.create_task(self._end_patience())
                tasks.create_task(self._end_look_in_vain())

    async def _keep_keys(self) -> None:
        while True:
            try:
                await self._keys.fetch(self._http)
                self._take_keys(self._keys.in_force)
                self._setup.worked(KEYS)
                self._heard()
                pause = self._keys.keep_seconds * _EARLY
            except (NotReached, httpx.HTTPError, TimeoutError) as fault:
                self._setup.failed(KEYS, wire.explained(fault, self._http.base_url))
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
        await self._setup.all_tried.wait()
        if self._setup.fault is not None:
            self._end_first_look()

    def _heard(self) -> None:
        if self._keys.by_id and self._memory.revoked.fresh_as_of > float("-inf"):
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
        self._looked = True
        self._first_look.set()


def _forget_after_fork(verifier: Verifier) -> None:
    """A child of this process starts its own following. Keeps no verifier alive."""
    known = weakref.ref(verifier)

    def begin_again() -> None:
        if (alive := known()) is not None:
            alive._begin()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=begin_again)
