"""Orders, in FastAPI."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket

from vestibule.client import Caller, Verifier
from vestibule.client.fastapi import CurrentUser, install, lifespan

verifier = Verifier("https://auth.example.com", os.environ["SERVICE_KEY"])
current_user = CurrentUser(verifier)
app = FastAPI(lifespan=lifespan(verifier))
install(app)  # lists 401, 403 and 503 in the OpenAPI document


@app.get("/orders")
async def orders(caller: Annotated[Caller, Depends(current_user)]) -> dict[str, str]:
    return {"orders of": caller.id}


@app.get("/all")
async def every_order(caller: Annotated[Caller, Depends(current_user.with_role("admin"))]) -> dict[str, str]:
    return {"shown to": caller.id}


@app.websocket("/live")
async def live(socket: WebSocket, caller: Annotated[Caller, Depends(current_user)]) -> None:
    await socket.accept()
    await socket.send_text(caller.id)
