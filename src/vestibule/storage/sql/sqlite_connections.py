"""Connect to a SQLite file so that nothing of an attempt that failed is left."""

import asyncio
from typing import Any

import aiosqlite


async def connect(database: str, **options: Any) -> aiosqlite.Connection:
    """Return a connection to a file; raises `sqlite3.Error`, and then its thread has ended.

    aiosqlite does not wait for that thread, which then finds the loop closed and prints a traceback where a command
    ends with one sentence.
    """
    connection = aiosqlite.connect(database, **options)
    thread = connection._thread  # as SQLAlchemy does: no process waits for a connection left open
    thread.daemon = True
    try:
        return await connection
    except BaseException:
        await asyncio.to_thread(thread.join)
        raise
