"""Litestar: a middleware that makes `request.user` the caller.

    app = Litestar(handlers, middleware=[middleware(Verifier("https://auth.example.com", service_key="vsk_…"))])

    @get("/orders")
    async def orders(request: Request[Caller, str, Any]) -> dict[str, str]: return {"mine": request.user.id}

`guards=[with_role("admin")]` on a handler also requires a role.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, WebSocketException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.types import ASGIApp, Guard, Message, Receive, Scope, Send

from vestibule.client.asgi import POLICY_VIOLATION, refuse
from vestibule.client.caller import Caller
from vestibule.client.credentials import WEBSOCKET, token_in
from vestibule.client.errors import CallerRefusedError
from vestibule.client.verifier import Verifier

_REFUSAL = "vestibule.refusal"


def middleware(verifier: Verifier, **options: Any) -> DefineMiddleware:
    """Return the middleware for an application, a router or a handler. `options` are Litestar's, such as `exclude`."""
    return DefineMiddleware(VestibuleMiddleware, verifier=verifier, **options)


class VestibuleMiddleware(AbstractAuthenticationMiddleware):
    """Sets `request.user` to the `Caller`, and `request.auth` to the token."""

    def __init__(self, app: ASGIApp, verifier: Verifier, **options: Any) -> None:
        super().__init__(app, **options)
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer a refusal, also one of a guard, with the refusal's `body`."""

        async def send_refusal_instead(message: Message) -> None:
            refusal = scope.get(_REFUSAL)
            if not isinstance(refusal, CallerRefusedError) or scope["type"] == WEBSOCKET:
                await send(message)
            elif message["type"] == "http.response.start":  # the body, which is Litestar's own, is not sent
                await refuse(refusal, scope, send)  # type: ignore[arg-type]

        try:
            await super().__call__(scope, receive, send_refusal_instead)
        except CallerRefusedError as refusal:
            await refuse(refusal, scope, send)  # type: ignore[arg-type]

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        scope = connection.scope
        token = token_in(self._verifier, str(scope.get("method", WEBSOCKET)), list(scope["headers"]))
        return AuthenticationResult(user=await self._verifier.check_async(token), auth=token)


def with_role(*roles: str) -> Guard:
    """Return a guard that raises a 403 unless the caller has one of `roles`."""

    def allowed(connection: ASGIConnection[Any, Caller, Any, Any], _handler: BaseRouteHandler) -> None:
        try:
            connection.user.require(*roles)
        except CallerRefusedError as refusal:
            connection.scope[_REFUSAL] = refusal  # type: ignore[literal-required]
            raise _exception_for(refusal, connection) from None

    return allowed


def _exception_for(refusal: CallerRefusedError, connection: ASGIConnection[Any, Caller, Any, Any]) -> Exception:
    if connection.scope["type"] == WEBSOCKET:
        return WebSocketException(detail=refusal.code, code=POLICY_VIOLATION)
    return HTTPException(refusal.message, status_code=refusal.status, headers=refusal.headers)
