"""Starlette and any ASGI application: a middleware that lets nobody in who is not signed in.

    app = VestibuleMiddleware(app, Verifier("https://auth.example.com", service_key="vsk_…"))

    caller = caller_of(request)

Websockets are closed before they are accepted, which the server answers with 403.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from vestibule.client.caller import Caller
from vestibule.client.credentials import WEBSOCKET, goes_on_without_token, token_in
from vestibule.client.errors import CallerRefusedError, NoTokenError
from vestibule.client.vary import depends_on, varying_raw
from vestibule.client.verifier import Verifier

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1
CALLER = "vestibule.caller"
"""The member of the scope that `caller_of` reads."""
_STARLETTES_HANDLERS = "starlette.exception_handlers"


class VestibuleMiddleware:
    """Puts the `Caller` into the request's state, as `caller`, for `caller_of` too.

    With `required=False` a request without a token goes on, and `caller` is None; a bad token is refused all the same.
    Requests to `open_paths` are let through unchecked, and `caller` is None; a path must be equal to one of them. So
    are `OPTIONS` requests without a token, which is how browsers ask before they send a request to another site. A
    refusal that the application raises before it has answered is answered too.
    """

    def __init__(
        self, app: Application, verifier: Verifier, *, required: bool = True, open_paths: Collection[str] = ()
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._required = required
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", WEBSOCKET}:
            await self._app(scope, receive, send)
            return
        if scope["path"] in self._open_paths:
            await self._go_on(None, scope, receive, send)
            return
        send = varying_send(send, depends_on(self._verifier))
        try:
            caller = await self._caller(scope)
        except CallerRefusedError as refusal:
            await refuse(refusal, scope, send)
            return
        await self._go_on(caller, scope, receive, send)

    async def _go_on(self, caller: Caller | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and answer a refusal that it raises before it has answered itself."""
        scope = {**scope, "state": {**scope.get("state", {}), "caller": caller}, CALLER: caller}
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except CallerRefusedError as refusal:
            if begun:
                raise
            await refuse(refusal, scope, send)

    async def _caller(self, scope: Scope) -> Caller | None:
        method = scope.get("method", WEBSOCKET)
        try:
            token = token_in(self._verifier, method, scope["headers"], scope.get("scheme", ""))
        except NoTokenError:
            if goes_on_without_token(method, required=self._required):
                return None
            raise
        return await self._verifier.check_async(token)


def varying_send(send: Send, names: Iterable[str]) -> Send:
    """Return a `send` that adds `names` to the `Vary` of the response, those that are there when it begins."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": varying_raw(message.get("headers", ()), names)}
        await send(message)

    return sending


def caller_of(connection: Mapping[str, Any]) -> Caller:
    """Return the caller of a request or websocket of Starlette or FastAPI, or of an ASGI scope: all are mappings.

    Raises `NoTokenError` if nobody is signed in. Starlette and FastAPI then answer 401, unless the application has an
    exception handler of its own for it; so they do for what the caller's `require` raises.
    """
    answer_refusals(connection)
    caller = connection.get(CALLER)
    if not isinstance(caller, Caller):
        raise NoTokenError
    return caller


def answer_refusals(connection: Mapping[str, Any]) -> None:
    """Have a Starlette application answer refusals that its own code raises; change nothing in another one.

    A middleware outside of the application cannot do it: Starlette would have answered 500 before. But the scope
    contains the application's exception handlers.
    """
    handlers = connection.get(_STARLETTES_HANDLERS)
    if handlers:
        handlers[0].setdefault(CallerRefusedError, _answer)


async def _answer(_connection: object, refusal: CallerRefusedError) -> Application:
    async def response(scope: Scope, _receive: Receive, send: Send) -> None:
        await refuse(refusal, scope, send)

    return response


def lifespan(verifier: Verifier) -> Callable[[object], AbstractAsyncContextManager[None]]:
    """Return a `lifespan` for Starlette, FastAPI or Litestar: it starts the verifier with the application, and closes
    it at the end. The application does not start if the service key or the URL is wrong.
    """

    @asynccontextmanager
    async def running(_app: object) -> AsyncIterator[None]:
        await asyncio.to_thread(verifier.start)
        try:
            yield
        finally:
            await asyncio.to_thread(verifier.close)

    return running


async def refuse(refusal: CallerRefusedError, scope: Mapping[str, Any], send: Send) -> None:
    """Answer a refused request, or close a websocket; before it was accepted, the server answers 403."""
    if scope["type"] == WEBSOCKET:
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refusal.code})
        return
    content = json.dumps(refusal.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **refusal.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
