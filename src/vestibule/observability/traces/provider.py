"""Export spans by OTLP over HTTP. OpenTelemetry's own variables (`OTEL_…`) configure it. For `wiring/traced.py`."""

import os
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, Status, TraceState
from opentelemetry.util.types import Attributes

from vestibule import __version__
from vestibule.observability.traces.statements import trace_statements


class OnlyRequests(Sampler):
    """Drops traces that do not begin with a request, such as those of polls. `inner` decides about all others."""

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
        """Return the decision for a span: drop it if it begins a trace and is not a request."""
        begins = not trace.get_current_span(parent_context).get_span_context().is_valid
        if begins and kind is not SpanKind.SERVER:
            return SamplingResult(Decision.DROP)
        return self._inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Return the sampler's name, which includes that of `inner`."""
        return f"OnlyRequests({self._inner.get_description()})"


class WithoutMessages(SpanExporter):
    """Exports spans without error messages: those that the instrumentation of Redis records quote the command."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans without messages; return the result."""
        return self._inner.export([_without_message(span) for span in spans])

    def shutdown(self) -> None:
        """Shut down `inner`."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush `inner`; return whether it was done in time."""
        return self._inner.force_flush(timeout_millis)


def _without_message(span: ReadableSpan) -> ReadableSpan:
    """Return a copy without the two members that quote error messages: the events, and the status's description."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def start_tracing() -> TracerProvider:
    """Trace requests, statements and Redis commands in this process; return the provider of spans."""
    name = os.environ.get("OTEL_SERVICE_NAME") or "vestibule"
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name, SERVICE_VERSION: __version__}))
    provider.sampler = OnlyRequests(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(WithoutMessages(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    trace_statements()
    RedisInstrumentor().instrument(tracer_provider=provider)
    return provider
