"""FastAPI: the caller as a dependency, with its security scheme in the OpenAPI document.

    current_user = CurrentUser(Verifier("https://auth.example.com", service_key="vsk_…"))
    install(app)

    @app.get("/orders")
    async def orders(caller: Annotated[Caller, Depends(current_user)]): ...

`Depends(current_user.with_role("admin"))` also requires a role. `install` lists the refusals in the document, and has
every answer that depends on a caller say so to caches.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from copy import deepcopy
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, WebSocketException
from fastapi.openapi.models import HTTPBearer
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse, Response
from fastapi.security.base import SecurityBase
from pydantic import TypeAdapter

from vestibule.client.asgi import (
    CALLER,
    POLICY_VIOLATION,
    Application,
    Message,
    Receive,
    Scope,
    Send,
    answer_refusals,
    caller_of,
    lifespan,
    varying_send,
)
from vestibule.client.caller import Caller, require_named
from vestibule.client.credentials import WEBSOCKET, token_in
from vestibule.client.documented import DESCRIPTIONS, SCHEME, SCHEME_DESCRIPTION, RefusalBody
from vestibule.client.errors import CallerRefusedError
from vestibule.client.vary import depends_on, vary
from vestibule.client.verifier import Verifier

__all__ = ["REFUSALS", "CurrentUser", "RefusedError", "caller_of", "install", "lifespan"]

_HANDLERS = "starlette.exception_handlers"
_DEPENDS_ON = "vestibule.depends_on"
_CONTENT = {"application/json": {"schema": TypeAdapter(RefusalBody).json_schema()}}

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": _CONTENT} for status, description in DESCRIPTIONS.items()
}
"""The refusals, as the argument `responses` of a router or a route."""


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
        self.model = HTTPBearer(bearerFormat="JWT", description=SCHEME_DESCRIPTION)
        self.scheme_name = SCHEME
        self._verifier = verifier

    async def __call__(self, connection: HTTPConnection, response: Response) -> Caller:
        scope, names = connection.scope, depends_on(self._verifier)
        answer_refusals(scope)
        # FastAPI adds this to what a handler returns as data; what it returns as a response, `install` looks after.
        response.headers["Vary"] = vary(response.headers.getlist("Vary"), names)
        scope.get(_DEPENDS_ON, set()).update(names)
        try:
            method = scope.get("method", WEBSOCKET)
            token = token_in(self._verifier, method, scope["headers"], scope.get("scheme", ""))
            scope[CALLER] = caller = await self._verifier.check_async(token)
        except CallerRefusedError as refusal:
            raise _exception_for(refusal, connection, names) from None
        return caller

    def with_role(self, *roles: str) -> Callable[[HTTPConnection, Caller], Awaitable[Caller]]:
        """Return a dependency whose value is the caller; it raises `RefusedError` with 403 unless their role is one of
        `roles`. Raises `ValueError` at once if none is named.
        """
        require_named(roles)

        async def allowed(connection: HTTPConnection, caller: Annotated[Caller, Depends(self)]) -> Caller:
            try:
                caller.require(*roles)
            except CallerRefusedError as refusal:
                raise _exception_for(refusal, connection, depends_on(self._verifier)) from None
            return caller

        return allowed


def install(app: FastAPI) -> None:
    """List the refusals in the application's OpenAPI document, at every operation that depends on a `CurrentUser`, and
    name in the `Vary` of every response what it depends on. Raises `RuntimeError` once the application has started.
    """
    app.add_middleware(_Varying)
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        for operation in _operations(document):
            for status, response in REFUSALS.items():
                operation.setdefault("responses", {}).setdefault(str(status), deepcopy(response))
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way


class _Varying:
    """Adds to `Vary` what a `CurrentUser` further in has noted in the scope."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names: set[str] = set()

        async def sending(message: Message) -> None:
            await (varying_send(send, sorted(names)) if names else send)(message)

        await self._app({**scope, _DEPENDS_ON: names}, receive, sending)


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the operations that require our security scheme."""
    for path in document.get("paths", {}).values():
        for operation in path.values():
            if any(SCHEME in required for required in operation.get("security", ())):
                yield operation


def _exception_for(refusal: CallerRefusedError, connection: HTTPConnection, names: Iterable[str]) -> Exception:
    """Return the exception that FastAPI expects on this kind of connection."""
    if connection.scope["type"] == WEBSOCKET:
        return WebSocketException(POLICY_VIOLATION, refusal.code)
    # FastAPI would answer {"detail": …}. A dependency does not know its application, but the scope contains the
    # application's exception handlers, so add ours there; without them the answer is FastAPI's.
    if _HANDLERS in connection.scope:
        connection.scope[_HANDLERS][0].setdefault(RefusedError, _answer)
    refused = RefusedError(refusal)
    refused.headers = {**refusal.headers, "Vary": vary((), names)}
    return refused


async def _answer(_request: Request, refused: RefusedError) -> JSONResponse:
    return JSONResponse(refused.refusal.body, refused.status_code, refused.headers)
