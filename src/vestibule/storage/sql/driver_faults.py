"""Classify a driver's error: database unreachable, busy, in conflict with another transaction, or a bug of ours."""

import sqlite3

from sqlalchemy import exc

# PostgreSQL's classes and codes for a database that cannot serve us (its manual, appendix A): connection,
# authorization, no such database, rolled back to resolve a conflict, read-only, resources, lock not available, operator
# intervention, system.
_UNAVAILABLE_STATES = {"08", "28", "3D", "40", "25006", "53", "55", "57", "58"}
# Could not serialize, deadlock, foreign key violated (ibid.).
_CONFLICT_STATES = {"40001", "40P01", "23503"}
# Without SQLITE_BUSY itself: it comes after a wait of ten seconds, and a retry would double the wait.
_SQLITE_CONFLICT_CODES = {
    sqlite3.SQLITE_BUSY_RECOVERY,
    sqlite3.SQLITE_BUSY_SNAPSHOT,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_LOCKED_SHAREDCACHE,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
}


def driver_message(fault: exc.DBAPIError) -> str:
    """Return the driver's message on one line. `redaction.py` has removed values from it."""
    return " ".join(str(fault.orig).rpartition(">: ")[2].split())


def is_out_of_reach(fault: exc.DBAPIError) -> bool:
    """Return whether the database is starting or shutting down (57P03) and accepts no connections."""
    return getattr(fault.orig, "sqlstate", None) == "57P03"


def is_conflict(fault: exc.DBAPIError) -> bool:
    """Return whether the transaction was aborted in favour of another, or refers to a row deleted meanwhile."""
    conflict = getattr(fault.orig, "sqlstate", None) in _CONFLICT_STATES
    return conflict or getattr(fault.orig, "sqlite_errorcode", None) in _SQLITE_CONFLICT_CODES


def is_about_a_value(fault: exc.DBAPIError) -> bool:
    """Return whether the database or its driver refused a value, or a row that breaks a constraint."""
    sqlstate = getattr(fault.orig, "sqlstate", None) or ""
    return sqlstate[:2] in {"22", "23"} or isinstance(fault, exc.IntegrityError | exc.DataError)


def is_unavailable(fault: exc.DBAPIError) -> bool:
    """Return whether the database is busy, full, gone, read-only or shutting down; False for a wrong statement."""
    sqlstate = getattr(fault.orig, "sqlstate", None)
    if sqlstate:
        return sqlstate[:2] in _UNAVAILABLE_STATES or sqlstate in _UNAVAILABLE_STATES
    if getattr(fault.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return False  # SQLite calls its own refusal of a statement operational too
    return isinstance(fault, exc.OperationalError | exc.InterfaceError)
