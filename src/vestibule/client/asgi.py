"""Starlette and any ASGI application: a middleware that requires a signed-in caller.

    app = VestibuleMiddleware(app, Verifier("https://auth.example.com", service_key="vsk_…"))

    caller = caller_of(request)

Websockets are closed before they are accepted, which the server answers with 403.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from vestibule.client import arguments
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CallerRefusedError, NoTokenError
from vestibule.client.credentials import WEBSOCKET, may_lack_token, token_in
from vestibule.client.vary import caller_headers, with_vary_raw
from vestibule.client.verifier import Verifier

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1
CALLER = "vestibule.caller"
"""The key in the scope that `caller_of` reads."""
_STARLETTE_HANDLERS = "starlette.exception_handlers"


class VestibuleMiddleware:
    """Puts the `Caller` into the request's state, as `caller`, and into the scope, where `caller_of` finds it.

    With `required=False` a request without a token goes on, and `caller` is None; a bad token is refused all the same.
    Requests whose path equals one of `open_paths` are let through unchecked, and `caller` is None. `OPTIONS` requests
    without a token are let through too: browsers send them as preflights. A refusal that the application raises becomes
    the response, unless the application has begun one.
    """

    def __init__(
        self, app: Application, verifier: Verifier, *, required: bool = True, open_paths: Collection[str] = ()
    ) -> None:
        self._app = arguments.function("app", app)
        self._verifier = arguments.instance("verifier", verifier, Verifier)
        self._required = arguments.flag("required", required)
        self._open_paths = arguments.paths("open_paths", open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", WEBSOCKET}:
            await self._app(scope, receive, send)
            return
        if scope["path"] in self._open_paths:
            await self._go_on(None, scope, receive, send)
            return
        send = send_with_vary(send, caller_headers(self._verifier))
        try:
            caller = await self._caller(scope)
        except CallerRefusedError as refusal:
            await refuse(refusal, scope, send)
            return
        await self._go_on(caller, scope, receive, send)

    async def _go_on(self, caller: Caller | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application. If it raises a refusal before it begins a response, respond with the refusal."""
        scope = {**scope, "state": {**scope.get("state", {}), "caller": caller}, CALLER: caller}
        begun = False

        async def tracked_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, tracked_send)
        except CallerRefusedError as refusal:
            if begun:
                raise
            await refuse(refusal, scope, send)

    async def _caller(self, scope: Scope) -> Caller | None:
        method = scope.get("method", WEBSOCKET)
        try:
            token = token_in(self._verifier, method, scope["headers"], scope.get("scheme", ""))
        except NoTokenError:
            if may_lack_token(method, required=self._required):
                return None
            raise
        return await self._verifier.check_async(token)


def send_with_vary(send: Send, names: Iterable[str]) -> Send:
    """Return a `send` that adds `names` to the `Vary` of the response. `names` is read when the response begins."""

    async def changed_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": with_vary_raw(message.get("headers", ()), names)}
        await send(message)

    return changed_send


def caller_of(connection: Mapping[str, Any]) -> Caller:
    """Return the caller of a request or websocket of Starlette or FastAPI, or of an ASGI scope: all are mappings.

    Raises `NoTokenError` if nobody is signed in. Starlette and FastAPI then answer 401, unless the application has its
    own handler for this exception. In the same way they answer the refusals that `Caller.require` raises.
    """
    answer_refusals(connection)
    caller = connection.get(CALLER)
    if not isinstance(caller, Caller):
        raise NoTokenError
    return caller


def answer_refusals(connection: Mapping[str, Any]) -> None:
    """Have a Starlette application answer refusals that its own code raises. Other applications stay unchanged.

    A middleware around the application comes too late: Starlette has answered 500 by then. So this
    function adds the kit's handler to the application's exception handlers, which are in the scope.
    """
    handlers = connection.get(_STARLETTE_HANDLERS)
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
    arguments.instance("verifier", verifier, Verifier)

    @asynccontextmanager
    async def running(_app: object) -> AsyncIterator[None]:
        await asyncio.to_thread(verifier.start)
        try:
            yield
        finally:
            await asyncio.to_thread(verifier.close)

    return running


async def refuse(refusal: CallerRefusedError, scope: Mapping[str, Any], send: Send) -> None:
    """Respond to a refused request, or close a websocket. The server answers 403 to a websocket not yet accepted."""
    if scope["type"] == WEBSOCKET:
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refusal.code})
        return
    content = json.dumps(refusal.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **refusal.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
