"""Orders, in Starlette."""

import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from vestibule.client import Verifier
from vestibule.client.asgi import VestibuleMiddleware, caller_of, lifespan


async def orders(request: Request) -> JSONResponse:
    return JSONResponse({"orders of": caller_of(request).id})


async def every_order(request: Request) -> JSONResponse:
    caller_of(request).require("admin")
    return JSONResponse({"orders of": "everybody"})


verifier = Verifier("https://auth.example.com", os.environ["SERVICE_KEY"])
app = Starlette(
    routes=[Route("/orders", orders), Route("/all", every_order)],
    middleware=[
        Middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_headers=["Authorization"]),
        Middleware(VestibuleMiddleware, verifier=verifier, open_paths=["/health"]),
    ],
    lifespan=lifespan(verifier),
)
