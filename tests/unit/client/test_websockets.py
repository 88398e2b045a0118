"""Websockets, in the frameworks that have them: who may open one, and from which site."""

from typing import Annotated, Any

import litestar
import pytest
from fastapi import Depends, FastAPI
from fastapi import WebSocket as FastSocket
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from tests.unit.client.asking import AUTH, ORIGIN
from vestibule.client import Caller, Verifier
from vestibule.client import litestar as for_litestar
from vestibule.client.asgi import VestibuleMiddleware
from vestibule.client.fastapi import CurrentUser
from vestibule.client.testing import SignedIn

POLICY_VIOLATION = 1008


def with_starlette() -> Any:
    async def told(socket: Any) -> None:
        await socket.accept()
        await socket.send_text(socket.state.caller.id)
        await socket.close()

    return VestibuleMiddleware(Starlette(routes=[WebSocketRoute("/ws", told)]), Verifier(**AUTH))


def with_fastapi() -> Any:
    app, current_user = FastAPI(), CurrentUser(Verifier(**AUTH))

    @app.websocket("/ws")
    async def told(socket: FastSocket, caller: Annotated[Caller, Depends(current_user.with_role("user"))]) -> None:
        await socket.accept()
        await socket.send_text(caller.id)
        await socket.close()

    return app


def with_litestar() -> Any:
    @litestar.websocket("/ws", guards=[for_litestar.with_role("user")])
    async def told(socket: litestar.WebSocket[Caller, str, Any]) -> None:
        await socket.accept()
        await socket.send_text(socket.user.id)
        await socket.close()

    return litestar.Litestar([told], middleware=[for_litestar.middleware(Verifier(**AUTH))], openapi_config=None)


APPS = {"starlette": with_starlette, "fastapi": with_fastapi, "litestar": with_litestar}
every_app = pytest.mark.parametrize("made", APPS.values(), ids=APPS)


async def opened(app: Any, headers: dict[str, str]) -> list[dict[str, Any]]:
    """What a service sends to somebody who asks for a websocket so."""
    sent: list[dict[str, Any]] = []
    coming = iter([{"type": "websocket.connect"}])

    async def receive() -> dict[str, Any]:
        return next(coming, {"type": "websocket.disconnect", "code": 1000})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in {"Host": "service", **headers}.items()]
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/ws",
        "raw_path": b"/ws",
        "root_path": "",
        "query_string": b"",
        "headers": raw,
        "client": ("192.0.2.7", 4711),
        "server": ("service", 80),
        "subprotocols": [],
        "extensions": {},
        "state": {},
    }
    await app(scope, receive, send)
    return sent


def is_let_in(sent: list[dict[str, Any]]) -> bool:
    return [message.get("text") for message in sent if message["type"] == "websocket.send"] == ["ada"]


def is_closed(sent: list[dict[str, Any]]) -> bool:
    """Before it was accepted."""
    return [(message["type"], message.get("code")) for message in sent] == [("websocket.close", POLICY_VIOLATION)]


@every_app
async def test_k4_a_cookie_opens_a_websocket_from_one_s_own_pages_alone(made: Any, vestibule: SignedIn) -> None:
    app, cookie = made(), {"Cookie": f"access_token={vestibule.token_for('ada')}"}
    for said in ({"Origin": "http://service"}, {"Origin": ORIGIN}, {"Sec-Fetch-Site": "same-origin"}):
        assert is_let_in(await opened(app, {**cookie, **said})), said
    for said in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert is_closed(await opened(app, {**cookie, **said})), said


@every_app
async def test_k1_a_websocket_takes_the_same_tokens_and_roles(made: Any, vestibule: SignedIn) -> None:
    app, token = made(), vestibule.token_for("ada")
    assert is_let_in(await opened(app, vestibule.headers(token)))
    assert is_closed(await opened(app, {}))
    vestibule.expire(expired := vestibule.token_for("ada"))
    assert is_closed(await opened(app, vestibule.headers(expired)))
    vestibule.revoke(token)
    assert is_closed(await opened(app, vestibule.headers(token)))
    if made is not with_starlette:
        assert is_closed(await opened(app, vestibule.headers(vestibule.token_for("ada", role="guest"))))
