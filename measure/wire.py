"""Speak just enough HTTP/1.1 to load a server from one process: a request is made once, as bytes, and sent as it is."""

import asyncio
import json
from types import TracebackType
from typing import Any, NamedTuple, Self

HOST = "127.0.0.1"
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_CHUNKED = b"\r\ntransfer-encoding: chunked"
_CHUNK = 65536


class UnexpectedAnswer(RuntimeError):
    """A server answered otherwise than the measurement expects. Figures about such answers would mean nothing."""


class Answer(NamedTuple):
    """A response. `head` has the status line and the header lines, unparsed and as they were received."""

    status: int
    head: bytes
    body: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Return all headers as pairs, the name in lower case."""
        pairs = (line.partition(b":") for line in self.head.split(b"\r\n")[1:])
        return [(name.decode().lower(), content.strip().decode()) for name, _, content in pairs]

    def cookie(self, name: str) -> str:
        """Return the value of a cookie that the response sets. Raises `UnexpectedAnswer` if it sets none of
        that name.
        """
        start = f"{name}="
        for header, content in self.headers:
            if header == "set-cookie" and content.startswith(start):
                return content.removeprefix(start).partition(";")[0]
        raise UnexpectedAnswer(f"sets no cookie {name}: {self.head!r}")

    def json(self) -> Any:
        return json.loads(self.body)


def parse(received: bytes) -> Answer | None:
    """Return the answer; None until all of it was received. Raises `UnexpectedAnswer` if its end cannot be told."""
    end = received.find(_HEAD_END)
    if end < 0:
        return None
    status, head, body = int(received[9:12]), received[:end], received[end + len(_HEAD_END) :]
    whole = body if status == 204 else _whole(head, body)
    return None if whole is None else Answer(status, head, whole)


def _whole(head: bytes, body: bytes) -> bytes | None:
    """Return the body; None until all of it was received. Raises `UnexpectedAnswer` if no header tells
    where it ends.
    """
    named = head.lower()
    at = named.find(_LENGTH)
    if at >= 0:
        return body if len(body) >= int(head[at + len(_LENGTH) :].partition(b"\r\n")[0]) else None
    if _CHUNKED not in named:
        raise UnexpectedAnswer(f"does not say how long it is: {head!r}")
    return _joined(body)


def _joined(body: bytes) -> bytes | None:
    """Return the content of a chunked body (RFC 9112, section 7.1); None until the last chunk was received."""
    joined = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        if len(rest) < 2 or len(rest) < (length := int(size, 16)) + 2:
            return None
        if length == 0:
            return joined
        joined, body = joined + rest[:length], rest[length + 2 :]


def request(
    method: str, path: str, *, token: str = "", cookie: str = "", body: Any = None, form: str = "", origin: str = ""
) -> bytes:
    """Return a request for a connection that is kept open. `body` is sent as JSON; `form` is already encoded."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if cookie:
        lines.append(f"Cookie: {cookie}")
    if origin:
        lines.append(f"Origin: {origin}")
    content = form or ("" if body is None else json.dumps(body))
    if content:
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(content)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + content).encode()


class Asker:
    """A connection that is kept open for one request after another."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def ask(self, sent: bytes, expected: int | None = None) -> Answer:
        """Send a request and return the answer. Raises `UnexpectedAnswer` if its status is not `expected`."""
        self._writer.write(sent)
        received = b""
        while (answer := parse(received)) is None:
            chunk = await self._reader.read(_CHUNK)
            if not chunk:
                raise ConnectionResetError(f"port {self._port} hung up")
            received += chunk
        if expected is not None and answer.status != expected:
            raise UnexpectedAnswer(f"{answer.status} instead of {expected}: {answer.body!r}")
        return answer
