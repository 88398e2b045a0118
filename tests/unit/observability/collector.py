"""A collector of traces that listens on loopback, and understands what it is sent as OpenTelemetry's own would."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SERVER = 2  # a span's kind, in trace.proto


@dataclass(frozen=True)
class Told:
    """A span as it arrived."""

    name: str
    kind: int
    trace: str
    id: str
    parent: str
    milliseconds: float
    begun: int
    attributes: dict[str, Any]


@dataclass
class Collector:
    """What was sent, and where to send it."""

    port: int = 0
    spans: list[Told] = field(default_factory=list)
    raw: bytes = b""

    @property
    def settings(self) -> dict[str, str]:
        """For a server that tells its traces here, soon."""
        return {
            "VESTIBULE_TRACES": "on",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def requests(self, name: str) -> list[Told]:
        """The spans of requests with this name."""
        return [span for span in self.spans if span.kind == SERVER and span.name == name]

    def under(self, root: Told) -> list[Told]:
        """What belongs to it, in the order in which it began."""
        return sorted((s for s in self.spans if s.trace == root.trace and s.id != root.id), key=lambda s: s.begun)

    def take(self, body: bytes) -> None:
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += [_told(span) for span in scope.spans]


def _told(span: Any) -> Told:
    attributes = {entry.key: getattr(entry.value, entry.value.WhichOneof("value") or "") for entry in span.attributes}
    milliseconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
    return Told(span.name, span.kind, *ids, milliseconds, span.start_time_unix_nano, attributes)


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        collector.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield collector
        server.shutdown()
