"""Sign a program in as one user, as `Session` does, but without blocking the event loop.

    async with AsyncSession("https://auth.example.com") as session:
        await session.sign_in("ada@example.com", "correct horse")
        async with httpx.AsyncClient(auth=session) as client: ...

Network and file access runs on other threads.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator
from typing import Any, Self

import httpx

from vestibule.client.session import Session
from vestibule.client.tokens import Tokens, TokenStore


class AsyncSession(httpx.Auth):
    """One user's sign-in, for `httpx.AsyncClient`, with the arguments and the errors of `Session`."""

    def __init__(
        self,
        url: str,
        store: TokenStore | None = None,
        *,
        plain_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._session = Session(url, store, plain_http=plain_http, ssl_context=ssl_context)

    async def sign_in(self, email: str, password: str) -> None:
        """Begin a session; raises as `Session.sign_in` does."""
        await asyncio.to_thread(self._session.sign_in, email, password)

    async def complete_sign_in(self, code: str) -> None:
        """Begin the session that `sign_in` asked a second factor for; raises as `Session.complete_sign_in` does."""
        await asyncio.to_thread(self._session.complete_sign_in, code)

    async def begin_enrolment(self) -> str:
        """Return the `otpauth://` URI of a new authenticator app; raises as `Session.begin_enrolment` does."""
        return await asyncio.to_thread(self._session.begin_enrolment)

    async def complete_enrolment(self, code: str) -> list[str]:
        """Set up the app and begin the session; return and raise as `Session.complete_enrolment` does."""
        return await asyncio.to_thread(self._session.complete_enrolment, code)

    async def sign_out(self) -> None:
        """End the session here and at Vestibule; raises as `Session.sign_out` does."""
        await asyncio.to_thread(self._session.sign_out)

    async def me(self) -> dict[str, Any]:
        """Return who is signed in, with `email_verified`; raises as `Session.me` does."""
        return await asyncio.to_thread(self._session.me)

    async def fresh(self, refused: str | None = None) -> Tokens:
        """Return tokens that are valid for at least half a minute; raises as `Session.fresh` does."""
        return await asyncio.to_thread(self._session.fresh, refused)

    async def close(self) -> None:
        """Close the connections. The session stays signed in."""
        self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_fault: object) -> None:
        await self.close()

    def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Add the access token; after a 401, exchange it once and repeat the request. Raises as `fresh` does."""
        return self._session.async_auth_flow(request)

    def sync_auth_flow(self, _request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Raise `TypeError`: a blocking client takes a `Session`."""
        raise TypeError("an AsyncSession is for httpx.AsyncClient; give httpx.Client a Session")
