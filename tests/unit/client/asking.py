"""Ask a service of any framework without a server in between, and what all services of these tests are set to."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from tests.harness import litestar_logging

__all__ = ["AUTH", "ORIGIN", "Ask", "litestar_logging", "on_asgi", "on_wsgi"]

ORIGIN = "https://app.example.com"
AUTH = {"url": "https://auth.example.com", "service_key": "vsk_x", "cookie": "access_token", "origins": [ORIGIN]}
Ask = Callable[..., httpx.Response]


def on_asgi(app: Any) -> Ask:
    def ask(address: str, method: str = "GET", **how: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
                return await client.request(method, address, **how)

        return asyncio.run(answer())

    return ask


def on_wsgi(app: Any) -> Ask:
    def ask(address: str, method: str = "GET", **how: Any) -> httpx.Response:
        # As servers do it: headers of one name become one entry of the environment.
        headers = dict(httpx.Headers(how.pop("headers", None)).items())
        with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://service") as client:
            return client.request(method, address, headers=headers, **how)

    return ask
