"""Make a span for each request, in an ASGI layer outside all others, by OpenTelemetry's conventions for HTTP servers.

OpenTelemetry's own instrumentation records paths and queries, which may contain mailed secrets. This layer records
routes instead.
"""

import asyncio
from collections.abc import Callable, Collection
from threading import Thread

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from vestibule.observability.metrics.routes import METHODS, route_of

_FLUSH_SECONDS = 5.0
_tracer = trace.get_tracer("vestibule")
_OTHER = "_OTHER"  # OpenTelemetry's name for an unknown method


class Traced:
    """Wraps the whole application. `from_proxy` returns whether a request comes from a listed proxy, whose
    `traceparent` is followed. `unrouted` are the paths that the fast path answers before they are routed. `untraced`
    paths have no span.
    """

    def __init__(
        self,
        app: ASGIApp,
        provider: TracerProvider,
        from_proxy: Callable[[Scope], bool],
        unrouted: Collection[str],
        untraced: Collection[str],
    ) -> None:
        self._app = app
        self._provider = provider
        self._from_proxy = from_proxy
        self._unrouted = frozenset(unrouted)
        self._untraced = frozenset(untraced)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["path"] in self._untraced:
            await self._app(scope, receive, send)
        else:
            await self._traced(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            # Wait a short time for the last spans to be sent, then give them up. The thread is a daemon, because the
            # process would otherwise wait half a minute for the exporter's retries.
            ending = Thread(target=self._provider.shutdown, daemon=True)
            ending.start()
            await asyncio.to_thread(ending.join, _FLUSH_SECONDS)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        with _tracer.start_as_current_span(
            _method_of(scope),
            self._context(scope),
            SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            async def described_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._describe(span, scope, message)
                await send(message)

            with bound_contextvars(trace_id=format_trace_id(span.get_span_context().trace_id)):
                await self._app(scope, receive, described_send)

    def _context(self, scope: Scope) -> Context:
        """Return the trace that a listed proxy names. The `traceparent` of any other client is ignored, and a new trace
        begins.
        """
        return propagate.extract(Headers(scope=scope), Context()) if self._from_proxy(scope) else Context()

    def _describe(self, span: Span, scope: Scope, message: Message) -> None:
        status, route, method = message["status"], route_of(scope, self._unrouted), _method_of(scope)
        span.update_name(f"{method} {route}")
        span.set_attributes(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "url.scheme": scope["scheme"],
                "vestibule.request_id": MutableHeaders(scope=message).get("x-request-id", ""),
            }
        )
        if status >= 500:
            span.set_attribute("error.type", str(status))
            span.set_status(Status(StatusCode.ERROR))


def _method_of(scope: Scope) -> str:
    return scope["method"] if scope["method"] in METHODS else _OTHER
