"""Guards for a second factor and a recent sign-in, in FastAPI, Flask, Litestar and by hand."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI
from flask import Flask
from litestar import Request, get
from starlette.requests import Request as StarletteRequest

from vestibule.client import Caller, InsufficientAuthenticationError, Verifier, asgi, wsgi
from vestibule.client.fastapi import CurrentUser
from vestibule.client.flask import Vestibule
from vestibule.client.litestar import require_level, require_recent, with_role

verifier = Verifier("https://auth.example.com", "vsk_x")
current_user = CurrentUser(verifier)
app = FastAPI()


@app.post("/transfers", dependencies=[Depends(current_user.require_level(2))])
async def transfer(caller: Annotated[Caller, Depends(current_user.require_recent(300))]) -> int:
    return caller.level + caller.authenticated_at


flask = Flask(__name__)
vestibule = Vestibule(flask, verifier)


@flask.get("/orders/<int:number>")
@vestibule.with_role("admin")
@vestibule.require_level(2)
@vestibule.require_recent(300)
def order(number: int) -> str:
    return f"{number}"


def title(number: int) -> str:
    return order(number)


@get("/orders", guards=[with_role("admin"), require_level(3), require_recent(60)])
async def orders(request: Request[Caller, str, Any]) -> int:
    return request.user.level


def by_hand(request: StarletteRequest, environ: dict[str, Any]) -> str | int | None:
    asgi.caller_of(request).require_level(2)
    try:
        wsgi.caller_of(environ).require_recent(300)
    except InsufficientAuthenticationError as refusal:
        return refusal.acr_values or refusal.max_age
    return None
