"""A connection to a SQLite file that cannot be made leaves nothing behind."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from vestibule.storage.sql import sqlite_connections

_ATTEMPTS = 50


def test_c8_an_attempt_that_failed_says_nothing_once_its_loop_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    before = threading.active_count()

    async def attempt() -> None:
        with pytest.raises(sqlite3.OperationalError):
            await sqlite_connections.connect(str(tmp_path))

    for _ in range(_ATTEMPTS):
        asyncio.run(attempt())
    assert threading.active_count() == before
    assert said == []


async def test_one_that_is_made_works_and_holds_no_process(tmp_path: Path) -> None:
    connection = await sqlite_connections.connect(str(tmp_path / "a.db"))
    assert connection._thread.daemon
    async with connection.execute("SELECT 1") as rows:
        assert await rows.fetchone() == (1,)
    await connection.close()
