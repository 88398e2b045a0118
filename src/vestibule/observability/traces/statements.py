"""A span for each SQL statement, by SQLAlchemy's own events; never with its parameters.

OpenTelemetry's instrumentation of SQLAlchemy ends before 2.1.
"""

import re
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine, ExceptionContext, ExecutionContext

_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)")
_SPAN = "vestibule_span"
_tracer = trace.get_tracer("vestibule")


def trace_statements() -> None:
    """Trace the statements of every engine in this process."""
    event.listen(Engine, "before_cursor_execute", _begin)
    event.listen(Engine, "after_cursor_execute", _end)
    event.listen(Engine, "handle_error", _fail)


def _begin(
    connection: Connection, _cursor: Any, statement: str, _given: Any, context: ExecutionContext | None, _many: bool
) -> None:
    # First, because it is cheap: without a recorded parent the span would be dropped anyway.
    if context is not None and trace.get_current_span().is_recording():
        told = {"db.system.name": connection.dialect.name, "db.query.text": statement}
        span = _tracer.start_span(_name(statement), kind=SpanKind.CLIENT, attributes=told)
        setattr(context, _SPAN, span)


def _end(
    _connection: Connection, _cursor: Any, _statement: str, _given: Any, context: ExecutionContext | None, _many: bool
) -> None:
    if span := _span_of(context):
        span.end()


def _fail(context: ExceptionContext) -> None:
    if span := _span_of(context.execution_context):
        span.set_status(Status(StatusCode.ERROR))
        span.set_attribute("error.type", type(context.original_exception).__name__)
        span.end()


def _name(statement: str) -> str:
    """Return the span's name, such as `SELECT accounts`: the verb and the first table."""
    table = _TABLE.search(statement)
    return " ".join([statement.partition(" ")[0], *([table.group(1)] if table else [])])


def _span_of(context: ExecutionContext | None) -> Span | None:
    return getattr(context, _SPAN, None)
