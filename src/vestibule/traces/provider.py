"""Where spans go: OTLP over HTTP, to the place and in the way that OpenTelemetry's own variables (`OTEL_…`) say."""

import os
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from vestibule import __version__
from vestibule.traces.statements import trace_statements


class OnlyRequests(Sampler):
    """What begins with a request, as `inner` samples it. The looks at the database once a second are no news."""

    def __init__(self, inner: Sampler) -> None:
        self._inner = inner

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        begins = not trace.get_current_span(parent_context).get_span_context().is_valid
        if begins and kind is not SpanKind.SERVER:
            return SamplingResult(Decision.DROP)
        return self._inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"OnlyRequests({self._inner.get_description()})"


def begin() -> TracerProvider:
    """Have requests, statements and Redis's commands traced in this process."""
    name = os.environ.get("OTEL_SERVICE_NAME") or "vestibule"
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name, SERVICE_VERSION: __version__}))
    provider.sampler = OnlyRequests(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    trace_statements()
    RedisInstrumentor().instrument(tracer_provider=provider)
    return provider
