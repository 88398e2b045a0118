"""The verifier: check access tokens in memory, and keep that memory current in the background."""

import asyncio
import ssl
from collections.abc import Callable, Collection
from threading import TIMEOUT_MAX
from typing import NoReturn, Self, get_args

from vestibule.client import arguments, wire
from vestibule.client.base_url import base_of
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError, CannotTellError, TokenInvalidError
from vestibule.client.errors import NotVestibuleError, ServiceRefusedError
from vestibule.client.feed_reader import STALENESS_SECONDS
from vestibule.client.following import Following
from vestibule.client.memory import WhenStale
from vestibule.client.memory_updater import Options
from vestibule.client.process import PerProcess
from vestibule.client.token_clock import LEEWAY_SECONDS
from vestibule.model.clock import Clock, SystemClock
from vestibule.protocol.service_keys import hide_keys


class Verifier:
    """Checks access tokens. One for each process is enough; threads and tasks share it.

    `when_stale` decides about a valid token when the known revocations are more than `staleness` seconds old: `refuse`
    it with 503, `ask` Vestibule about each, or `accept` it although its session may have ended. Nothing is accepted
    before this process has once heard from Vestibule. `cookie` names a cookie that is read if there is no
    `Authorization: Bearer`. With `cookie`, `origins` lists the other sites whose pages may send requests that change
    state. `issuer` may be several, while Vestibule moves from one to another. `leeway` is the allowed clock skew, and
    `key_refetch` the least time between two fetches because of an unknown key, both in seconds. `remembered` is how
    many verified tokens are kept in memory, so that their signatures are not checked again. `plain_http` allows a `url`
    without TLS to another machine. `ssl_context` replaces the usual check of certificates.

    Raises `ValueError` for arguments that cannot be used. In each process, the first check starts the background work.
    Call `start` or `wait_ready`, or use `with`, to start it earlier, or again after `close`. These raise an error if
    the service key or the URL is wrong.
    """

    def __init__(
        self,
        url: str,
        service_key: str,
        when_stale: WhenStale = "refuse",
        *,
        issuer: str | Collection[str] = "vestibule",
        audience: str = "vestibule",
        cookie: str | None = None,
        origins: Collection[str] = (),
        staleness: float = STALENESS_SECONDS,
        leeway: float = LEEWAY_SECONDS,
        remembered: int = 50_000,
        key_refetch: float = 60.0,
        plain_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        if when_stale not in get_args(WhenStale):
            raise ValueError(
                f"when_stale is one of {', '.join(get_args(WhenStale))}, not {hide_keys(repr(when_stale))}"
            )
        self.cookie = arguments.cookie_name(cookie)
        self.origins = arguments.origins_of(origins)
        options = Options(
            base_of(url, plain_http=arguments.flag("plain_http", plain_http)),
            wire.key_of(service_key),
            when_stale,
            arguments.expected(issuer, audience, leeway),
            arguments.seconds("staleness", staleness, 2),  # heartbeats come once a second
            arguments.count("remembered", remembered),
            arguments.seconds("key_refetch", key_refetch, 1),
            SystemClock() if clock is None else arguments.having("clock", clock, "now", "monotonic"),
            ssl_context,
        )
        wire.require_context(options.base, ssl_context)
        self._processes = PerProcess(lambda: Following(options))
        self._here = self._processes.here

    def check(self, token: str) -> Caller:
        """Return the caller; raises `CallerRefusedError`. Does no I/O, except while the first fetch is under way, for a
        new signing key, and for stale revocations with `when_stale="ask"`.
        """
        if not isinstance(token, str):
            raise TokenInvalidError
        try:
            return self._decide(token)
        except CannotTellError as refusal:
            if not self._may_learn_more(refusal):
                return self._decide_again(token)  # the background may have learned more in the meantime
        except TokenInvalidError as refusal:
            raise self._here().explained(refusal) from None
        return self._here().learn(token)

    async def check_async(self, token: str) -> Caller:
        """Do what `check` does, without blocking other tasks; raises as `check` does."""
        if not isinstance(token, str):
            raise TokenInvalidError
        try:
            return self._decide(token)
        except CannotTellError as refusal:
            if not self._may_learn_more(refusal):
                return self._decide_again(token)  # as in `check`
        except TokenInvalidError as refusal:
            raise self._here().explained(refusal) from None
        return await self._here().learn_async(token)

    @property
    def age(self) -> float:
        """Return by how many seconds the known revocations are out of date; infinite until the first are received."""
        return self._here().memory.age()

    def start(self) -> None:
        """Start the background work unless it runs, and wait for Vestibule's first answers, at most five seconds.

        Raises `ServiceRefusedError` if Vestibule rejects the service key, and `NotVestibuleError` if the URL leads
        elsewhere or nowhere. An outage raises nothing: the service can start, and `when_stale` decides its checks.
        """
        self._open(Following.start)

    def wait_ready(self, timeout: float) -> None:
        """Start as `start` does, and wait until checks can be decided. Raises `NotReachedError` if that takes longer
        than `timeout` seconds. Errors that `start` raises are raised at once.
        """
        seconds = arguments.seconds("timeout", timeout, 0, TIMEOUT_MAX)
        self._open(lambda following: following.wait_ready(seconds))

    def close(self) -> None:
        """Stop the background work, within two seconds. Checks keep using what is known until that goes stale. After
        that every check gets 503, whatever `when_stale` says, until `start` is called again.
        """
        self._here().close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *_fault: object) -> None:
        await asyncio.to_thread(self.close)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Verifier is not copied or sent to another process, as it holds a key: make one in each")

    def _decide(self, token: str) -> Caller:
        return self._here().memory.decide(token)

    def _decide_again(self, token: str) -> Caller:
        """Decide again, because the background may have learned enough since `_decide`; raises as `check` does."""
        try:
            return self._decide(token)
        except CallerRefusedError as refusal:
            raise self._here().explained(refusal) from None

    def _may_learn_more(self, refusal: CallerRefusedError) -> bool:
        return self._here().may_learn_more(refusal)

    def _open(self, begin: Callable[[Following], None]) -> None:
        """Run `begin` on this process's background, with a new one if the last one is closed."""
        following = self._here()
        if following.closed:
            following = self._processes.replace(following)
        try:
            begin(following)
        except (ServiceRefusedError, NotVestibuleError):
            following.close()
            self._processes.replace(following)  # a later check starts a new one
            raise
