"""Orders, in Litestar."""

import os
from typing import Any

from litestar import Litestar, Request, WebSocket, get, websocket

from vestibule.client import Caller, Verifier
from vestibule.client.asgi import lifespan
from vestibule.client.litestar import VestibulePlugin, with_role


@get("/orders")
async def orders(request: Request[Caller, str, Any]) -> dict[str, str]:
    return {"orders of": request.user.id}


@get("/all", guards=[with_role("admin")])
async def every_order() -> dict[str, str]:
    return {"orders of": "everybody"}


@websocket("/live")
async def live(socket: WebSocket[Caller, str, Any]) -> None:
    await socket.accept()
    await socket.send_text(socket.user.id)


verifier = Verifier("https://auth.example.com", os.environ["SERVICE_KEY"])
app = Litestar(
    [orders, every_order, live],
    plugins=[VestibulePlugin(verifier, exclude=["^/schema"])],
    lifespan=[lifespan(verifier)],
)
