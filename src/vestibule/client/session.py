"""Sign a program in as one user: refresh tokens before they expire, and survive lost responses.

    session = Session("https://auth.example.com")
    session.sign_in("ada@example.com", "correct horse")
    httpx.get("https://orders.example.com/", auth=session)

It is an `httpx.Auth`, for `httpx.Client` and `httpx.AsyncClient` alike. Threads and tasks that find an expiring token
share one refresh. A refresh whose response is lost is repeated with the same refresh token: Vestibule answers with the
same successor, or with another (docs/decisions/0004-refresh.md).
"""

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import httpx

from vestibule.client import reasons, wire
from vestibule.client.errors import NotReachedError, NotVestibuleError, SignedOutError
from vestibule.client.process import PerProcess
from vestibule.client.session_answers import (
    Answer,
    bearer,
    refresh_cookie,
    refusal,
    repeatable,
    sent_secrets,
    tokens_in,
)
from vestibule.client.tokens import InMemory, Tokens, TokenStore
from vestibule.crypto.entropy import spread
from vestibule.model.clock import Clock, SystemClock
from vestibule.protocol.timeouts import Timeouts, Unbounded

EARLY_SECONDS = 30
"""How long before it expires an access token is exchanged."""

ATTEMPTS = 4
_FIRST_PAUSE_SECONDS = 0.2
_REFRESH = "/api/auth/refresh"
_UNAUTHORIZED = 401
_NO_REUSE = httpx.Limits(max_keepalive_connections=0)  # the time limit closes connections; none may be shared
_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class _TryAgainError(Exception):
    """A response was lost, or the server could not answer. The message says why."""


class Session(httpx.Auth):
    """One user's sign-in at one Vestibule. Requests have a time limit, follow no redirects, and are retried."""

    def __init__(
        self,
        url: str,
        store: TokenStore | None = None,
        *,
        plain_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._base = wire.base_of(url, plain_http=plain_http)
        self._ssl_context = ssl_context
        self._transport = transport
        self._store = store or InMemory()
        self._clock = clock or SystemClock()
        self._processes = PerProcess(self._opened)

    def _opened(self) -> tuple[httpx.Client, threading.Lock]:
        """Return connections and a lock: on a shared connection, each process may get the other's response."""
        http = httpx.Client(
            base_url=self._base,
            headers={"Accept-Encoding": "identity"},
            timeout=wire.TIMEOUT,
            limits=_NO_REUSE,
            follow_redirects=False,
            trust_env=False,
            transport=self._transport,
            verify=wire.context_of(self._base, self._ssl_context),
        )
        return http, threading.Lock()

    @property
    def _http(self) -> httpx.Client:
        return self._processes.here()[0]

    @property
    def _refreshing(self) -> threading.Lock:
        return self._processes.here()[1]

    def sign_in(self, email: str, password: str) -> None:
        """Begin a session; raises `SignedOutError` if the credentials are rejected, and `NotReachedError`."""
        answer = self._send("POST", "/api/auth/login", json={"email": email, "password": password})
        tokens = tokens_in(answer)
        try:
            self._store.save(tokens)
        except BaseException:  # without its tokens the session would go on for weeks
            self._end(tokens)
            raise

    def sign_out(self) -> None:
        """End the session here and at Vestibule; raises `NotReachedError` if it could only be ended here."""
        try:
            if self._store.load() is not None:
                with suppress(SignedOutError), self._refreshing:  # suppressed: the session is over already
                    tokens = self._good() or self._exchanged()  # signing out needs a token that has not expired
                    self._send("POST", "/api/auth/logout", headers=bearer(tokens))
        finally:
            self._store.clear()

    def me(self) -> dict[str, Any]:
        """Return who is signed in, with `email_verified`; raises `SignedOutError` or `NotReachedError`."""
        tokens = self.fresh()
        answer = self._send("GET", "/api/users/me", headers=bearer(tokens))
        try:
            user: dict[str, Any] = {**answer.json()["data"]["user"]}
        except (ValueError, LookupError, TypeError):
            raise NotReachedError(f"{answer.url} does not say who is signed in; is it a Vestibule?") from None
        known = self._send("GET", "/api/auth/verify", headers=bearer(tokens)).headers
        return {**user, "email_verified": known.get("Vestibule-Email-Verified") == "true"}

    def fresh(self, refused: str | None = None) -> Tokens:
        """Return tokens that are valid for at least half a minute; raises `SignedOutError` or `NotReachedError`.

        `refused` is an access token that a service rejected: it is exchanged, unless another thread already did so.
        """
        if (tokens := self._good(refused)) is not None:
            return tokens
        with self._refreshing:
            # The thread that held the lock may have refreshed for this one too.
            return self._good(refused) or self._refreshed()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the access token; after a 401, exchange it once and repeat the request, unless the body is a used
        stream. Raises as `fresh` does.
        """
        tokens = self.fresh()
        request.headers.update(bearer(tokens))
        answer = yield request
        if answer.status_code == _UNAUTHORIZED:
            renewed = self.fresh(tokens.access)
            if repeatable(request):
                request.headers.update(bearer(renewed))
                yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do the same for `httpx.AsyncClient`, and refresh on another thread. Raises as `fresh` does."""
        tokens = self._good()
        if tokens is None:
            tokens = await asyncio.to_thread(self.fresh)
        request.headers.update(bearer(tokens))
        answer = yield request
        if answer.status_code == _UNAUTHORIZED:
            renewed = await asyncio.to_thread(self.fresh, tokens.access)
            if repeatable(request):
                request.headers.update(bearer(renewed))
                yield request

    def close(self) -> None:
        """Close the connections. The session stays signed in."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _good(self, refused: str | None = None) -> Tokens | None:
        """Return the stored tokens, or None if they need a refresh; raises `SignedOutError` if there are none."""
        tokens = self._held()
        early = tokens.expires_at - EARLY_SECONDS <= self._clock.now().timestamp()
        return None if early or tokens.access == refused else tokens

    def _end(self, tokens: Tokens) -> None:
        with suppress(SignedOutError, NotReachedError):
            self._send("POST", "/api/auth/logout", headers=bearer(tokens))

    def _held(self) -> Tokens:
        tokens = self._store.load()
        if tokens is None:
            raise SignedOutError("not_signed_in", "Nobody is signed in")
        return tokens

    def _refreshed(self) -> Tokens:
        """Return new tokens, after storing them; raises as `fresh` does."""
        renewed = self._exchanged()
        self._store.save(renewed)
        return renewed

    def _exchanged(self) -> Tokens:
        """Return new tokens, not stored yet; raises as `fresh` does."""
        tokens = self._held()
        try:
            answer = self._send("POST", _REFRESH, headers={"Cookie": refresh_cookie(tokens)})
        except SignedOutError:
            self._store.clear()
            raise
        return tokens_in(answer, tokens.refresh)

    def _ask(self, method: str, path: str, **content: Any) -> Answer:
        """Return one response, read to its end; raises `Unbounded` and httpx's errors."""
        asked_at = self._clock.now().timestamp()
        with Timeouts(wire.ANSWER_SECONDS) as timeouts:

            def trace(step: str, info: Mapping[str, Any]) -> None:
                if step in _CONNECTED:
                    timeouts.hold(info["return_value"].get_extra_info("socket"))

            with self._http.stream(method, path, extensions={"trace": trace}, **content) as answer:
                text = timeouts.whole(answer.iter_raw())
        return Answer(answer.status_code, answer.url, answer.headers, text, asked_at)

    def _send(self, method: str, path: str, **content: Any) -> Answer:
        """Return a successful response, retrying lost ones and server errors; raises `SignedOutError` for a refusal,
        and `NotReachedError`.
        """
        pause, fault = _FIRST_PAUSE_SECONDS, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(spread(pause))
                pause *= 2
            try:
                return self._send_once(method, path, **content)
            except _TryAgainError as lost:
                fault = str(lost)
        raise NotReachedError(f"{self._http.base_url} could not be asked: {fault}")

    def _send_once(self, method: str, path: str, **content: Any) -> Answer:
        try:
            answer = self._ask(method, path, **content)
        except Unbounded as reason:  # not retried: it would take as long again
            raise NotReachedError(f"{self._http.base_url} {reason}; is it a Vestibule?") from None
        except httpx.RequestError as lost:
            told = reasons.explained(lost, self._http.base_url)
            raise _TryAgainError(str(told) if isinstance(told, NotVestibuleError) else reasons.why(lost)) from None
        self._http.cookies.clear()
        if answer.status_code >= 500:
            raise _TryAgainError(f"{answer.status_code}")
        if answer.status_code >= 300:
            raise refusal(answer, sent_secrets(content))
        return answer
