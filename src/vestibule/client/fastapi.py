"""FastAPI: the caller as a dependency, with its security scheme in the OpenAPI document.

    current_user = CurrentUser(Verifier("https://auth.example.com", service_key="vsk_…"))
    install(app)

    @app.get("/orders")
    async def orders(caller: Annotated[Caller, Depends(current_user)]): ...

`Depends(current_user.with_role("admin"))` also requires a role, `current_user.require_permission("invoices:write")` a
permission, `current_user.require_level(2)` a second factor, and `current_user.require_recent(300)` a sign-in of the
last five minutes. `install` lists the refusals in the document, and tells caches, by `Vary`, which responses depend on
the caller.
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

from vestibule.client import arguments, requirements
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
    send_with_vary,
)
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError
from vestibule.client.credentials import WEBSOCKET, token_in
from vestibule.client.documented import DESCRIPTIONS, SCHEME, SCHEME_DESCRIPTION, RefusalBody
from vestibule.client.requirements import Requirement
from vestibule.client.vary import caller_headers, vary_value
from vestibule.client.verifier import Verifier

__all__ = ["REFUSALS", "CurrentUser", "RefusedError", "caller_of", "install", "lifespan"]

Dependency = Callable[[HTTPConnection, Caller], Awaitable[Caller]]
_HANDLERS = "starlette.exception_handlers"
_VARY_NAMES = "vestibule.vary_names"
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
        self._verifier = arguments.instance("verifier", verifier, Verifier)

    async def __call__(self, connection: HTTPConnection, response: Response) -> Caller:
        scope, names = connection.scope, caller_headers(self._verifier)
        answer_refusals(scope)
        # FastAPI merges these headers if the handler returns data. If it returns a response, `install` adds `Vary`.
        response.headers["Vary"] = vary_value(response.headers.getlist("Vary"), names)
        if _VARY_NAMES in scope:
            scope[_VARY_NAMES].update(names)
        try:
            method = scope.get("method", WEBSOCKET)
            token = token_in(self._verifier, method, scope["headers"], scope.get("scheme", ""))
            scope[CALLER] = caller = await self._verifier.check_async(token)
        except CallerRefusedError as refusal:
            raise _exception_for(refusal, connection, names) from None
        return caller

    def with_role(self, *roles: str) -> Dependency:
        """Return a dependency whose value is the caller; it raises `RefusedError` with 403 unless the caller has one of
        `roles`. Raises `ValueError` at once if none is named.
        """
        return self._requiring(requirements.of_roles(roles))

    def require_permission(self, permission: str) -> Dependency:
        """Return a dependency whose value is the caller; it raises `RefusedError` with 403 unless one of their roles
        has the permission. Raises `ValueError` at once for what cannot be a permission.
        """
        return self._requiring(requirements.of_permission(permission))

    def require_level(self, level: int) -> Dependency:
        """Return a dependency whose value is the caller; it raises `RefusedError` with 401 unless their sign-in reached
        `level`. Raises `ValueError` at once unless that is 1, 2 or 3.
        """
        return self._requiring(requirements.of_level(level))

    def require_recent(self, max_age: int) -> Dependency:
        """Return a dependency whose value is the caller; it raises `RefusedError` with 401 unless they signed in during
        the last `max_age` seconds. Raises `ValueError` at once unless that is a whole number of 1 or more.
        """
        return self._requiring(requirements.of_recency(max_age))

    def _requiring(self, requirement: Requirement) -> Dependency:
        async def allowed(connection: HTTPConnection, caller: Annotated[Caller, Depends(self)]) -> Caller:
            try:
                requirement.check(caller, lambda: _requirements_of(connection.scope.get("route")))
            except CallerRefusedError as refusal:
                raise _exception_for(refusal, connection, caller_headers(self._verifier)) from None
            return caller

        return requirements.mark(allowed, requirement)


def install(app: FastAPI) -> None:
    """List the refusals in the application's OpenAPI document, at every operation that depends on a `CurrentUser`, and
    name in `Vary` the request headers that a response depends on. Raises `RuntimeError` once the application has
    started.
    """
    arguments.instance("app", app, FastAPI).add_middleware(_AddVary)
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        for operation in _operations(document):
            for status, response in REFUSALS.items():
                operation.setdefault("responses", {}).setdefault(str(status), deepcopy(response))
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way


class _AddVary:
    """Adds to `Vary` the names that a `CurrentUser` inside the application has noted in the scope."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names: set[str] = set()

        async def changed_send(message: Message) -> None:
            chosen_send = send_with_vary(send, sorted(names)) if names else send
            await chosen_send(message)

        await self._app({**scope, _VARY_NAMES: names}, receive, changed_send)


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the operations that require our security scheme."""
    for path in document.get("paths", {}).values():
        for operation in path.values():
            if any(SCHEME in required for required in operation.get("security", ())):
                yield operation


def _requirements_of(route: object) -> Iterator[Requirement]:
    """Yield what the dependencies of a route require, those of its routers included where FastAPI lists them there."""
    dependants = [getattr(route, "dependant", None)]
    while dependants:
        dependant = dependants.pop()
        yield requirements.marked(getattr(dependant, "call", None))
        dependants += getattr(dependant, "dependencies", ())


def _exception_for(refusal: CallerRefusedError, connection: HTTPConnection, names: Iterable[str]) -> Exception:
    """Return the exception that FastAPI expects on this kind of connection."""
    if connection.scope["type"] == WEBSOCKET:
        return WebSocketException(POLICY_VIOLATION, refusal.code)
    # FastAPI would answer {"detail": …}. A dependency does not know its application, but the scope contains the
    # application's exception handlers, so add ours there. Without handlers in the scope, FastAPI's response is sent.
    if _HANDLERS in connection.scope:
        connection.scope[_HANDLERS][0].setdefault(RefusedError, _answer)
    refused = RefusedError(refusal)
    refused.headers = {**refusal.headers, "Vary": vary_value((), names)}
    return refused


async def _answer(_request: Request, refused: RefusedError) -> JSONResponse:
    return JSONResponse(refused.refusal.body, refused.status_code, refused.headers)
