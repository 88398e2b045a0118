"""Measure how long each request takes, in an ASGI layer outside all others (`app.py`)."""

import time
from collections.abc import Collection

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vestibule.observability.metrics.meters import REQUESTS
from vestibule.observability.metrics.routes import METHODS, route_of

_OTHER = "other"


class Metered:
    """Wraps the whole application. `unrouted` are the paths that the fast path answers before they are routed."""

    def __init__(self, app: ASGIApp, unrouted: Collection[str]) -> None:
        self._app = app
        self._unrouted = frozenset(unrouted)
        self._meters: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def timed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._meter(scope, message["status"]).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, timed_send)

    def _meter(self, scope: Scope, status: int) -> Histogram:
        method, route = scope["method"], route_of(scope, self._unrouted)
        meter = self._meters.get((method, route, status))
        if meter is None:
            meter = REQUESTS.labels(method if method in METHODS else _OTHER, route, str(status))
            if method in METHODS:  # other methods are not kept, because clients may invent any number of them
                self._meters[method, route, status] = meter
        return meter
