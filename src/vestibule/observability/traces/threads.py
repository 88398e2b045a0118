"""Make a span for each hash and each signature, which includes the wait for a thread."""

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from opentelemetry import trace

from vestibule.process.niced_threads import NicedThreads

P = ParamSpec("P")
T = TypeVar("T")
_tracer = trace.get_tracer("vestibule")


class TracedThreads(NicedThreads):
    """Adds a span to each call. The span has the function's name, without leading underscores, and no arguments."""

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of `call`, within a span that includes the wait for a thread."""
        # An exception may quote a password, and a refusal is no error: the request's span tells what became of it.
        with _tracer.start_as_current_span(_name_of(call), record_exception=False, set_status_on_exception=False):
            return await super().run(call, *args, **kwargs)


def _name_of(call: Callable[..., Any]) -> str:
    """Return the name of a function, of the one that a `partial` calls, or of the class of another callable."""
    function = call.func if isinstance(call, partial) else call  # a partial of a partial has the innermost function
    return getattr(function, "__qualname__", type(function).__qualname__).lstrip("_")
