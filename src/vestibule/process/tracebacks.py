"""Format tracebacks for the log: where an error happened and its type, without values. `observability.logs` calls this.

An error's message is shown only if it cannot contain data. Those are the messages of Vestibule's own errors, of the
database's (after `storage/sql/redaction.py` has removed values), and of a few of Python's.
"""

import traceback
from collections.abc import Iterator

REDACTED = "values_withheld"
"""`storage/sql/redaction.py` sets this attribute on an error after it has removed values from the message."""

# Errors of these packages and types show their message.
_SHOWN_PACKAGES = {"vestibule", "sqlalchemy", "asyncpg", "sqlite3"}
_DRIVERS = {"asyncpg", "sqlite3"}
_SHOWN_TYPES = {
    AttributeError,
    ImportError,
    ModuleNotFoundError,
    NameError,
    NotImplementedError,
    RecursionError,
    RuntimeError,
    TypeError,
    UnboundLocalError,
    ZeroDivisionError,
}
# What Python prints between the tracebacks of two exceptions.
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def format_error(error: BaseException | None) -> str:
    """Return the traceback of an error and its causes, in Python's format; empty without an error."""
    return "".join(_chain(error, set())).rstrip("\n") if error is not None else ""


def summarize(error: BaseException) -> str:
    """Return the error's type, and its message if that may be shown."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    message = _message(error)
    return f"{name}: {message}" if message else name


def _chain(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    # As Python does: `raise … from None` suppresses the context.
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and id(earlier) not in seen:
        yield from _chain(earlier, seen)
        yield _CAUSE if earlier is error.__cause__ else _CONTEXT
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(error.__traceback__)
    yield f"{summarize(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for number, part in enumerate(error.exceptions, 1):
            yield f"\nSub-exception {number}:\n\n"
            yield from _chain(part, seen)


def _message(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):  # its parts follow one by one
        return ""
    if isinstance(error, OSError):  # `strerror` alone, because subclasses put data into `args`
        return error.strerror or ""
    package = type(error).__module__.partition(".")[0]
    # A driver's own error, or one of SQLAlchemy's with `params`, may quote data unless it is marked as redacted.
    if (package in _DRIVERS or hasattr(error, "params")) and not hasattr(error, REDACTED):
        return ""
    return str(error) if package in _SHOWN_PACKAGES or type(error) in _SHOWN_TYPES else ""
