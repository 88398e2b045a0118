"""The layer that reads what an answer left unread of its request's body, or closes the connection and says so.

An answer may be ready before the body was read: a path that is unknown, a caller without a token, a body that is too
large. The server library then closes the connection after the answer, without a word. A proxy that keeps connections
has put it away by then, and loses the next request on it, which may be anybody's (RFC 9112, section 9.6). So this layer
reads the rest before the answer begins: a bounded number of bytes, for a bounded time. If more is to come, the answer
says `Connection: close`. After chunks it always does (`headers`).
"""

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_READ_BYTES = 65_536
"""How much is read in vain, which costs less than a new connection. Forms and JSON of the API are much shorter."""
MOST_READ_SECONDS = 1.0
"""How long an answer waits for the rest. A sender that is slower loses the connection, as it always did."""


class UnreadBody:
    """Wraps the application. A request without a body costs one pass over its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # In HTTP/2, an answer that comes early ends its own stream, and no connection.
        if scope["type"] == "http" and scope["http_version"].startswith("1") and (length := _body_length(scope)):
            body = _Body(receive, send, may_be_read=length <= MOST_READ_BYTES and not _waits(scope))
            await self._app(scope, body.receive, body.send)
        else:
            await self._app(scope, receive, send)


class _Body:
    """The body of one request, and whether all of it has been read."""

    def __init__(self, receive: Receive, send: Send, *, may_be_read: bool) -> None:
        self._receive, self._send = receive, send
        self._may_be_read = may_be_read
        self._complete = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._complete = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._complete:
            headers = MutableHeaders(scope=message)
            if headers.get("connection") != "close" and not await self._read_rest():
                headers["Connection"] = "close"
        await self._send(message)

    async def _read_rest(self) -> bool:
        """Read the rest of the body; return whether that was all of it."""
        try:
            async with asyncio.timeout(MOST_READ_SECONDS):
                while self._may_be_read and not self._complete:
                    await self.receive()
        except TimeoutError:
            return False
        return self._complete


def _body_length(scope: Scope) -> int:
    """Return the length of the body that the headers announce; 0 without one, and for a body in chunks."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length[:20]) if length.isdigit() else 0


def _waits(scope: Scope) -> bool:
    """Return whether the client sends the body only once the server asks for it, which it does when the body is read
    (RFC 9110, section 10.1.1).
    """
    return any(name == b"expect" for name, _ in scope["headers"])
