"""Make a span for each hash and each signature, which includes the wait for a thread."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from opentelemetry import trace

from vestibule.process.niced_threads import NicedThreads

P = ParamSpec("P")
T = TypeVar("T")
_tracer = trace.get_tracer("vestibule")


class TracedThreads(NicedThreads):
    """Adds a span to each call. The span has the function's name, and no arguments."""

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of `call`, within a span that includes the wait for a thread."""
        with _tracer.start_as_current_span(
            call.__qualname__.lstrip("_"), record_exception=False, set_status_on_exception=False
        ):
            return await super().run(call, *args, **kwargs)
