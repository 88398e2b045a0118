"""Whatever becomes of a request: once it is answered, nothing keeps its body, or the server would keep the connection.

The server library closes a connection with an unread body only when the application has let go of the request. One that
keeps itself by a circle of references is let go of whenever the garbage collector comes by, which may take minutes.
"""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.harness.world import World
from vestibule.web import body
from vestibule.web.map_reading import PAGES, ROUTES

WITH_BODIES = [(line.method, line.path) for line in (*ROUTES, *PAGES) if line.method not in {"GET", "HEAD"}]
KINDS = {"too slow": b"20", "too large": b"99999", "chunked": None}


class Sender:
    """A client that has sent the beginning of a body, and says nothing more."""

    def __init__(self) -> None:
        self._sent = False

    async def __call__(self) -> dict[str, Any]:
        if self._sent:
            await asyncio.Event().wait()
        self._sent = True
        return {"type": "http.request", "body": b"{", "more_body": True}


@contextmanager
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def scope(method: str, path: str, length: bytes | None) -> dict[str, Any]:
    kind = b"application/json" if path.startswith("/api/") else b"application/x-www-form-urlencoded"
    framing = (b"transfer-encoding", b"chunked") if length is None else (b"content-length", length)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.replace("{", "").replace("}", ""),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "client": ("127.0.0.1", 4711),
        "server": ("localhost", 8000),
        "headers": [(b"host", b"localhost:8000"), (b"content-type", kind), framing],
        "state": {},
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_h1_an_answered_request_is_let_go_of(
    racing_world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(body, "MAX_BODY_SECONDS", 0.01)
    with no_collector():
        kept = [route for route in WITH_BODIES if await _is_kept(racing_world, scope(*route, KINDS[kind]))]
    assert kept == []


async def _is_kept(world: World, request: dict[str, Any]) -> bool:
    said: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])

    sender = Sender()
    held = weakref.ref(sender)
    await world.app(request, sender, send)
    del sender
    await asyncio.sleep(0)
    assert len(said) == 1
    return held() is not None
