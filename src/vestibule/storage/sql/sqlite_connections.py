"""Connect to a SQLite file. A failed attempt leaves no thread behind."""

import asyncio
from typing import Any

import aiosqlite


async def connect(database: str, **options: Any) -> aiosqlite.Connection:
    """Return a connection to a file; raises `sqlite3.Error` after the connection's thread has ended.

    aiosqlite alone would leave the thread running. When the command then ends, the thread would find the event loop
    closed, and print a traceback.
    """
    connection = aiosqlite.connect(database, **options)
    thread = connection._thread  # a daemon, as SQLAlchemy makes it: no process waits for a connection left open
    thread.daemon = True
    try:
        return await connection
    except BaseException:
        await asyncio.to_thread(thread.join)
        raise
