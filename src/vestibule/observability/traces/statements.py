"""A span for each statement, never with what is bound to it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from sqlalchemy.exc import DBAPIError

from vestibule.storage.sql.driver import DriverConnection

_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)")
_tracer = trace.get_tracer("vestibule")


def trace_statements() -> None:
    """Of every database in this process."""
    DriverConnection.watchers.append(_traced)


@contextmanager
def _traced(dialect: str, sql: str) -> Iterator[None]:
    # Below nothing that is told, it would not be either; and to look at the statement costs more than to look at this.
    if not trace.get_current_span().is_recording():
        yield
        return
    told = {"db.system.name": dialect, "db.query.text": sql}
    span = _tracer.start_span(_name(sql), kind=SpanKind.CLIENT, attributes=told)
    try:
        yield
    except DBAPIError as fault:
        span.set_status(Status(StatusCode.ERROR))
        span.set_attribute("error.type", type(fault.orig).__name__)
        raise
    finally:
        span.end()


def _name(statement: str) -> str:
    """`SELECT accounts`: what it does, and the first table it does it to."""
    table = _TABLE.search(statement)
    return " ".join([statement.partition(" ")[0], *([table.group(1)] if table else [])])
