"""Make a span for each SQL statement, without its parameters."""

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
    """Trace the statements of every database connection in this process."""
    DriverConnection.watchers.append(_traced)


@contextmanager
def _traced(dialect: str, sql: str) -> Iterator[None]:
    """Make a span that lasts as long as the block. `DriverConnection` runs each statement in such a block."""
    # Without a recorded parent span, this span would be dropped: not making it is cheaper.
    if not trace.get_current_span().is_recording():
        yield
        return
    attributes = {"db.system.name": dialect, "db.query.text": sql}
    span = _tracer.start_span(_name(sql), kind=SpanKind.CLIENT, attributes=attributes)
    try:
        yield
    except DBAPIError as fault:
        span.set_status(Status(StatusCode.ERROR))
        span.set_attribute("error.type", type(fault.orig).__name__)
        raise
    finally:
        span.end()


def _name(statement: str) -> str:
    """Return a statement's verb and its first table, such as `SELECT accounts`."""
    verb, table = statement.partition(" ")[0], _TABLE.search(statement)
    return f"{verb} {table.group(1)}" if table else verb
