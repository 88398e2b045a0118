"""Litestar: a middleware that makes `request.user` the caller.

    app = Litestar(handlers, middleware=[middleware(Verifier("https://auth.example.com", service_key="vsk_…"))])

    @get("/orders")
    async def orders(request: Request[Caller, str, Any]) -> dict[str, str]: return {"mine": request.user.id}

`guards=[with_role("admin")]` on a handler demands a role as well.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.types import ASGIApp, Guard

from vestibule.client.caller import Caller
from vestibule.client.credentials import presented
from vestibule.client.errors import CallerRefused
from vestibule.client.verifier import Verifier


def middleware(verifier: Verifier, **options: Any) -> DefineMiddleware:
    """For an application, a router or a handler. `options` are those of Litestar's, such as `exclude`."""
    return DefineMiddleware(VestibuleMiddleware, verifier=verifier, **options)


class VestibuleMiddleware(AbstractAuthenticationMiddleware):
    """`request.user` is the `Caller`, `request.auth` the token."""

    def __init__(self, app: ASGIApp, verifier: Verifier, **options: Any) -> None:
        super().__init__(app, **options)
        self._verifier = verifier

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        cookie = connection.cookies.get(self._verifier.cookie) if self._verifier.cookie else None
        try:
            token = presented(connection.headers.getall("authorization", []), cookie)
            return AuthenticationResult(user=await self._verifier.check_async(token), auth=token)
        except CallerRefused as refusal:
            raise as_http(refusal) from None


def with_role(*roles: str) -> Guard:
    """A guard that lets in whose role is one of these; 403 otherwise."""

    def allowed(connection: ASGIConnection[Any, Caller, Any, Any], _handler: BaseRouteHandler) -> None:
        try:
            connection.user.require(*roles)
        except CallerRefused as refusal:
            raise as_http(refusal) from None

    return allowed


def as_http(refusal: CallerRefused) -> HTTPException:
    """The refusal, as Litestar answers it."""
    return HTTPException(refusal.message, status_code=refusal.status, headers=refusal.headers)
