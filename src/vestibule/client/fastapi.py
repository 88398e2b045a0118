"""FastAPI: the caller as a dependency, with its security scheme in the OpenAPI document.

    current_user = CurrentUser(Verifier("https://auth.example.com", service_key="vsk_…"))

    @app.get("/orders")
    async def orders(caller: Annotated[Caller, Depends(current_user)]): ...

`Depends(current_user.with_role("admin"))` also requires a role.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request, WebSocketException
from fastapi.openapi.models import HTTPBearer
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse
from fastapi.security.base import SecurityBase

from vestibule.client.asgi import POLICY_VIOLATION
from vestibule.client.caller import Caller
from vestibule.client.credentials import WEBSOCKET, token_in
from vestibule.client.errors import CallerRefusedError
from vestibule.client.verifier import Verifier

_HANDLERS = "starlette.exception_handlers"


class RefusedError(HTTPException):
    """A refusal as a FastAPI exception. The response has the refusal's `body`, as in every other framework, unless the
    application registers its own exception handler for this class.
    """

    def __init__(self, refusal: CallerRefusedError) -> None:
        super().__init__(refusal.status, refusal.message, refusal.headers)
        self.refusal = refusal


class CurrentUser(SecurityBase):
    """A dependency whose value is the `Caller`. Raises an `HTTPException`, as FastAPI's own security classes do, and
    closes a websocket before accepting it.
    """

    def __init__(self, verifier: Verifier) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="An access token of Vestibule")
        self.scheme_name = "Vestibule"
        self._verifier = verifier

    async def __call__(self, connection: HTTPConnection) -> Caller:
        try:
            method = connection.scope.get("method", WEBSOCKET)
            return await self._verifier.check_async(token_in(self._verifier, method, connection.scope["headers"]))
        except CallerRefusedError as refusal:
            raise _exception_for(refusal, connection) from None

    def with_role(self, *roles: str) -> Callable[[HTTPConnection, Caller], Awaitable[Caller]]:
        """Return a dependency whose value is the caller; it raises `RefusedError` with 403 unless their role is one of
        `roles`.
        """

        async def allowed(connection: HTTPConnection, caller: Annotated[Caller, Depends(self)]) -> Caller:
            try:
                caller.require(*roles)
            except CallerRefusedError as refusal:
                raise _exception_for(refusal, connection) from None
            return caller

        return allowed


def _exception_for(refusal: CallerRefusedError, connection: HTTPConnection) -> Exception:
    """Return the exception that FastAPI expects on this kind of connection."""
    if connection.scope["type"] == WEBSOCKET:
        return WebSocketException(POLICY_VIOLATION, refusal.code)
    # FastAPI would answer {"detail": …}. A dependency does not know its application, but the scope contains the
    # application's exception handlers, so add ours there; without them the answer is FastAPI's.
    if _HANDLERS in connection.scope:
        connection.scope[_HANDLERS][0].setdefault(RefusedError, _answer)
    return RefusedError(refusal)


async def _answer(_request: Request, refused: RefusedError) -> JSONResponse:
    return JSONResponse(refused.refusal.body, refused.status_code, refused.headers)
