"""Remove from a database error the values of rows and parameters: password hashes, emails, names.

Drivers quote values in their messages, and PostgreSQL adds a DETAIL with a whole row. An error is changed in place, so
that no log, terminal or error reporter ever sees these values. What the database says about itself stays.
"""

import re
from typing import Any

from sqlalchemy.engine import ExceptionContext

from vestibule.process.tracebacks import REDACTED

# PostgreSQL's classes of errors whose messages quote values (its manual, appendix A).
_DATA_EXCEPTION_CLASS, _TRIGGER_CLASS = "22", "P0"
_QUOTED = re.compile(r'".*"|\'.*\'', re.DOTALL)  # greedy, because a value may contain quotes itself
_OF_ASYNCPG = re.compile(r"(query argument \$\d+).*", re.DOTALL)
_OF_SQLITE = re.compile(r"(Could not decode to UTF-8 column '\w+') with text.*", re.DOTALL)
_SQLITE_TRIGGER = 1811  # SQLITE_CONSTRAINT_TRIGGER
_A_TRIGGER = "refused by a trigger"


def redact_error(context: ExceptionContext) -> None:
    """Remove values from an error and its causes (SQLAlchemy's `handle_error` event).

    SQLAlchemy's own error wraps its dialect's, which wraps the driver's: each repeats the message of the one inside.
    """
    of_dialect = context.original_exception
    of_driver = of_dialect.__cause__ or of_dialect
    safe_message = _without_values(of_driver)
    if of_driver is not of_dialect:
        of_dialect.args = (f"{type(of_driver)}: {safe_message}",)
    _rewrite(of_driver, safe_message)
    of_sqlalchemy = context.sqlalchemy_exception
    if of_sqlalchemy is not None:  # of_dialect was rewritten above, so its text holds no values any more
        of_sqlalchemy.args = (f"({type(of_dialect).__module__}.{type(of_dialect).__name__}) {of_dialect}",)
    for error in filter(None, (of_driver, of_dialect, of_sqlalchemy)):
        setattr(error, REDACTED, True)  # process.tracebacks may show the message of an error with this mark


def redact_driver_error(driver: BaseException) -> None:
    """Remove values from an error that the driver raised directly."""
    _rewrite(driver, _without_values(driver))
    setattr(driver, REDACTED, True)


def _without_values(driver: BaseException) -> str:
    message = str(driver.args[0]) if driver.args else ""
    state = getattr(driver, "sqlstate", None) or ""
    if state.startswith(_TRIGGER_CLASS) or getattr(driver, "sqlite_errorcode", None) == _SQLITE_TRIGGER:
        return _A_TRIGGER
    if state.startswith(_DATA_EXCEPTION_CLASS):
        return _QUOTED.sub("…", _OF_ASYNCPG.sub(r"\1 cannot be sent", message))
    return _OF_SQLITE.sub(r"\1", _OF_ASYNCPG.sub(r"\1 cannot be sent", message))


def _rewrite(driver: Any, message: str) -> None:
    driver.args = (message,)
    for member in ("detail", "hint"):
        if getattr(driver, member, None):
            setattr(driver, member, None)
    # The cause is an error about the value itself, and may quote it.
    driver.__cause__ = None
    driver.__suppress_context__ = True
