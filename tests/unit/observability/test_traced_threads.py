"""The span of a call on a thread: named for what is called, whatever form that has, and without what it was given."""

from collections.abc import Callable
from functools import partial

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from vestibule.observability.traces import threads
from vestibule.observability.traces.threads import TracedThreads


def _hash(password: str) -> str:
    return password.upper()


class Hasher:
    def hash(self, password: str) -> str:
        return password.upper()

    def __call__(self, password: str) -> str:
        return password.upper()


CALLS: list[tuple[Callable[..., str], tuple[str, ...], str]] = [
    (_hash, ("canary",), "hash"),
    (Hasher().hash, ("canary",), "Hasher.hash"),
    (Hasher(), ("canary",), "Hasher"),
    (partial(_hash, "canary"), (), "hash"),
    (partial(partial(_hash), password="canary"), (), "hash"),
]


@pytest.mark.parametrize(
    ("call", "arguments", "name"), CALLS, ids=["function", "method", "object", "partial", "nested"]
)
async def test_a_span_has_the_name_of_what_is_called(
    call: Callable[..., str], arguments: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    monkeypatch.setattr(threads, "_tracer", provider.get_tracer("vestibule"))
    traced = TracedThreads(threads=1, waiting=1)
    assert await traced.run(call, *arguments) == "CANARY"
    traced.close()
    (span,) = exported.get_finished_spans()
    assert span.name == name
    assert "canary" not in span.to_json().lower()
