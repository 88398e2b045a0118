"""Starlette and any ASGI application: a middleware that lets nobody in who is not signed in.

    app = VestibuleMiddleware(app, Verifier("https://auth.example.com", service_key="vsk_…"))

    caller = request.state.caller

Websockets are closed before they are accepted, which the server answers with 403.
"""

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from vestibule.client.caller import Caller
from vestibule.client.credentials import WEBSOCKET, token_in
from vestibule.client.errors import CallerRefusedError, NoTokenError
from vestibule.client.verifier import Verifier

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1


class VestibuleMiddleware:
    """Puts the `Caller` into the request's state, as `caller`.

    With `required=False` a request without a token goes on, and `caller` is None; a bad token is refused all the same.
    Requests to `open_paths` are let through unchecked; a path must be equal to one of them.
    """

    def __init__(
        self, app: Application, verifier: Verifier, *, required: bool = True, open_paths: Collection[str] = ()
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._required = required
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._caller(scope)
        except CallerRefusedError as refusal:
            await refuse(refusal, scope, send)
            return
        state = {**scope.get("state", {}), "caller": caller}
        await self._app({**scope, "state": state}, receive, send)

    async def _caller(self, scope: Scope) -> Caller | None:
        try:
            token = token_in(self._verifier, scope.get("method", WEBSOCKET), scope["headers"])
        except NoTokenError:
            if self._required:
                raise
            return None
        return await self._verifier.check_async(token)


async def refuse(refusal: CallerRefusedError, scope: Scope, send: Send) -> None:
    """Answer a refused request, or close a websocket before accepting it."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refusal.code})
        return
    content = json.dumps(refusal.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **refusal.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
