"""Create engines for a SQLite file. Transactions queue for one connection: writers wait in line instead of failing."""

import os
import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from vestibule.storage.sql.redaction import redact_error
from vestibule.storage.sql.sqlite_connections import SqliteConnections
from vestibule.storage.sql.timeouts import DatabaseTimeouts

_HAS_OUR_SCHEMA = "SELECT 1 FROM sqlite_master WHERE name = 'vestibule_schema'"
WRITE_AHEAD = text("PRAGMA journal_mode = WAL")
"""The file keeps this setting, which cannot be set within a transaction."""


def engines(url: URL, timeouts: DatabaseTimeouts, connections: SqliteConnections) -> tuple[AsyncEngine, AsyncEngine]:
    """Return the engine for transactions, and the one for single reads."""
    # SQLite allows one writer at a time. Waiting in our own queue is fair; polling SQLite's lock is not.
    writing = _engine(url, connections, pool_size=1, wait_seconds=30.0)
    event.listen(writing.sync_engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    single_reads = _engine(url, connections, pool_size=4, wait_seconds=timeouts.for_connection)
    return writing, single_reads


def _engine(url: URL, connections: SqliteConnections, pool_size: int, wait_seconds: float) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=wait_seconds,
        pool_reset_on_return=None,
        connect_args={"timeout": 10, "isolation_level": None, "async_creator_fn": connections.connect},
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "handle_error", redact_error)
    event.listen(engine.sync_engine, "do_connect", _make_file)
    event.listen(engine.sync_engine, "connect", _prepare)
    return engine


def _make_file(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Create a missing file, readable by its owner only; files that SQLite puts beside it inherit that.

    An existing file is never opened here: closing it again would drop the locks of this process's other connections
    (POSIX). Another process that ends would then delete the write-ahead log that they still use.
    """
    with suppress(OSError):  # SQLite reports what is wrong
        os.close(os.open(arguments[0], os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare(connection: Any, _record: Any) -> None:
    """Set what each connection needs. A file without our schema is not written to: `migrate` turns on the write-ahead
    log when it has made the schema.
    """
    cursor = connection.cursor()
    try:
        cursor.execute(_HAS_OUR_SCHEMA)
        if cursor.fetchone():
            cursor.execute(WRITE_AHEAD.text)
        cursor.execute("PRAGMA synchronous = FULL")  # committed means on the disk, also when the power fails
        cursor.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        connection.close()  # the pool does not have it yet, so nothing else would end its thread
        raise
    cursor.close()
