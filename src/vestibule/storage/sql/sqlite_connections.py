"""Open connections to a SQLite file, and wait at the end until none of their threads is left.

aiosqlite runs each connection in a thread of its own, which hands every result to the event loop. A thread that
outlives the loop finds it closed and prints a traceback. aiosqlite and SQLAlchemy do not wait for the thread of a
failed attempt to connect, or of a connection that was closed abruptly because its task was cancelled.
"""

import asyncio
import time
from threading import Thread
from typing import Any
from weakref import WeakSet

import aiosqlite

_JOIN_SECONDS = 12.0
"""How long to wait for the threads: longer than SQLite waits for a lock. After that, they end with the process."""


class SqliteConnections:
    """Opens the connections of one engine."""

    def __init__(self) -> None:
        self._threads: WeakSet[Thread] = WeakSet()

    async def connect(self, database: str, **options: Any) -> aiosqlite.Connection:
        """Return a connection to a file; raises `sqlite3.Error` after the connection's thread has ended."""
        connection = aiosqlite.connect(database, **options)
        thread = connection._thread  # a daemon, as SQLAlchemy makes it: no process waits for a connection left open
        thread.daemon = True
        self._threads.add(thread)
        try:
            return await connection
        except BaseException:
            await asyncio.to_thread(thread.join)
            raise

    async def join(self) -> None:
        """Wait until the threads have ended. Call it after the connections were closed, abruptly or not."""
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        end = time.monotonic() + _JOIN_SECONDS
        for thread in list(self._threads):
            thread.join(max(0.0, end - time.monotonic()))
