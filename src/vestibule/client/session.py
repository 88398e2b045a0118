"""Sign a program in as one user: refresh tokens before they expire, and survive lost responses.

    session = Session("https://auth.example.com")
    session.sign_in("ada@example.com", "correct horse")
    httpx.get("https://orders.example.com/", auth=session)

`Session` is an `httpx.Auth`, for `httpx.Client` and `httpx.AsyncClient` alike. Threads and tasks that find an expiring
token share one refresh. A refresh whose response is lost is repeated with the same refresh token: Vestibule answers
with the same successor, or with another (docs/decisions/0004-refresh.md).
"""

import asyncio
import ssl
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from types import NoneType
from typing import Any, Self

import httpx

from vestibule.client import arguments
from vestibule.client.base_url import base_of
from vestibule.client.errors import NotReachedError, SignedOutError
from vestibule.client.process import PerProcess
from vestibule.client.session_answers import (
    Answer,
    app_in,
    bearer,
    pending_cookie,
    pending_in,
    recovery_codes_in,
    refresh_cookie,
    refusal,
    rejects_token,
    repeatable,
    sent_secrets,
    tokens_in,
)
from vestibule.client.session_sender import Sender
from vestibule.client.tokens import InMemory, Tokens, TokenStore
from vestibule.model.clock import Clock, SystemClock

EARLY_SECONDS = 30
"""How many seconds before it expires an access token is refreshed."""

_REFRESH = "/api/auth/refresh"
_SECOND_STEP = "/api/auth/login/second-factor"
_ENROLMENT = "/api/auth/login/enrol/totp"


class Session(httpx.Auth):
    """One user's sign-in at one Vestibule. Requests have a time limit, follow no redirects, and are retried.

    `store` keeps the tokens, by default in memory; every method also raises what `store` raises, such as
    `NotStoredError`. `plain_http` allows a URL without TLS to another machine. `ssl_context` replaces the usual check
    of certificates. Raises `ValueError` for arguments that cannot be used.
    """

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
        base = base_of(url, plain_http=arguments.flag("plain_http", plain_http))
        via = arguments.instance("transport", transport, httpx.BaseTransport, NoneType)
        self._store = InMemory() if store is None else arguments.having("store", store, "load", "save", "clear")
        self._clock = SystemClock() if clock is None else arguments.having("clock", clock, "now", "monotonic")
        self._pending: str | None = None  # the handle of a sign-in that waits for its second step
        self._sender = Sender(base, ssl_context, via, self._clock)
        self._refresh_locks = PerProcess(threading.Lock)

    @property
    def _refresh_lock(self) -> threading.Lock:
        return self._refresh_locks.here()

    def sign_in(self, email: str, password: str) -> None:
        """Begin a session; raises `SignedOutError` if the credentials are rejected, `SecondFactorRequiredError` if
        `complete_sign_in` has to follow, `EnrolmentRequiredError` if `begin_enrolment` has to, and `NotReachedError`.
        """
        self._pending = None
        self._begin(self._send("POST", "/api/auth/login", json=arguments.credentials(email, password)))

    def complete_sign_in(self, code: str) -> None:
        """Begin the session that `sign_in` asked a second factor for, by a code of the authenticator app or a recovery
        code. Raises `SignedOutError` if the code is rejected (see `TYPED_AGAIN` in `protocol/refusals.py`), and
        `NotReachedError`.
        """
        self._begin(self._send_pending(_SECOND_STEP, json={"code": arguments.string("code", code)}))
        self._pending = None

    def begin_enrolment(self) -> str:
        """Return the `otpauth://` URI of a new authenticator app, to show as a QR code, after `sign_in` has raised
        `EnrolmentRequiredError`. Raises `SignedOutError` and `NotReachedError`.
        """
        return app_in(self._send_pending(_ENROLMENT))

    def complete_enrolment(self, code: str) -> list[str]:
        """Set up the app with one of its codes, and begin the session. Return the recovery codes, which are not shown
        again. Raises `SignedOutError` if the code is rejected (see `TYPED_AGAIN` in `protocol/refusals.py`), and
        `NotReachedError`.
        """
        answer = self._send_pending(f"{_ENROLMENT}/confirm", json={"code": arguments.string("code", code)})
        codes = recovery_codes_in(answer)
        self._begin(answer)
        self._pending = None
        return codes

    def _send_pending(self, path: str, **content: Any) -> Answer:
        """Return the response to a request about the sign-in that waits; raises `SignedOutError` without one."""
        if self._pending is None:
            raise SignedOutError("no_pending_sign_in", "No sign-in is waiting for a code: sign in with the password")
        return self._send("POST", path, headers={"Cookie": pending_cookie(self._pending)}, **content)

    def _begin(self, answer: Answer) -> None:
        """Store the tokens of a new session; raises `NotReachedError` if there are none."""
        tokens = tokens_in(answer)
        try:
            self._store.save(tokens)
        except BaseException:  # nobody has the tokens, and the session would stay open for weeks
            self._end(tokens)
            raise

    def sign_out(self) -> None:
        """End the session here and at Vestibule; raises `NotReachedError` if it could only be ended here."""
        try:
            if self._store.load() is not None:
                with suppress(SignedOutError), self._refresh_lock:  # suppressed, because the session is over already
                    # Signing out needs a token that has not expired.
                    tokens = self._usable_tokens() or self._refresh_tokens()
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

        `refused` is an access token that a service rejected: it is replaced, unless another thread already replaced it.
        """
        if (tokens := self._usable_tokens(refused)) is not None:
            return tokens
        with self._refresh_lock:
            # The thread that held the lock before may have refreshed the tokens.
            return self._usable_tokens(refused) or self._refresh_and_store()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the access token; after a 401, exchange it once and repeat the request, unless the body is a used
        stream, or the service asks for another sign-in (RFC 9470). Raises as `fresh` does.
        """
        tokens = self.fresh()
        request.headers.update(bearer(tokens))
        answer = yield request
        if rejects_token(answer):
            renewed = self.fresh(tokens.access)
            if repeatable(request):
                request.headers.update(bearer(renewed))
                yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do what `sync_auth_flow` does, for `httpx.AsyncClient`: refresh on another thread. Raises as `fresh` does."""
        tokens = self._usable_tokens()
        if tokens is None:
            tokens = await asyncio.to_thread(self.fresh)
        request.headers.update(bearer(tokens))
        answer = yield request
        if rejects_token(answer):
            renewed = await asyncio.to_thread(self.fresh, tokens.access)
            if repeatable(request):
                request.headers.update(bearer(renewed))
                yield request

    def close(self) -> None:
        """Close the connections. The session stays signed in."""
        self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def _usable_tokens(self, refused: str | None = None) -> Tokens | None:
        """Return the stored tokens, or None if they need a refresh; raises `SignedOutError` if there are none."""
        tokens = self._stored_tokens()
        expires_soon = tokens.expires_at - EARLY_SECONDS <= self._clock.now().timestamp()
        return None if expires_soon or tokens.access == refused else tokens

    def _end(self, tokens: Tokens) -> None:
        with suppress(SignedOutError, NotReachedError):
            self._send("POST", "/api/auth/logout", headers=bearer(tokens))

    def _stored_tokens(self) -> Tokens:
        tokens = self._store.load()
        if tokens is None:
            raise SignedOutError("not_signed_in", "Nobody is signed in")
        return tokens

    def _refresh_and_store(self) -> Tokens:
        """Refresh, store the new tokens, and return them; raises as `fresh` does."""
        renewed = self._refresh_tokens()
        self._store.save(renewed)
        return renewed

    def _refresh_tokens(self) -> Tokens:
        """Refresh, and return the new tokens without storing them; raises as `fresh` does."""
        tokens = self._stored_tokens()
        try:
            answer = self._send("POST", _REFRESH, headers={"Cookie": refresh_cookie(tokens)})
        except SignedOutError:
            self._store.clear()
            raise
        return tokens_in(answer, tokens.refresh)

    def _send(self, method: str, path: str, **content: Any) -> Answer:
        """Return a successful response; raises `SignedOutError` for a refusal, and `NotReachedError`."""
        answer = self._sender.send(method, path, **content)
        if answer.status_code >= 300:
            self._pending = pending_in(answer) or self._pending
            raise refusal(answer, sent_secrets(content))
        return answer
