"""Connections to a SQLite file leave no thread behind: neither one that cannot be made, nor one closed abruptly."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from vestibule.storage.sql import engine
from vestibule.storage.sql.sqlite_connections import SqliteConnections

_ATTEMPTS = 50
_COUNT_TO = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 1000000) SELECT count(*) FROM t"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[threading.ExceptHookArgs]:
    """What threads that died of an exception said."""
    said: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    return said


def test_c8_an_attempt_that_failed_says_nothing_once_its_loop_is_gone(
    tmp_path: Path, said: list[threading.ExceptHookArgs]
) -> None:
    before = threading.active_count()

    async def attempt() -> None:
        with pytest.raises(sqlite3.OperationalError):
            await SqliteConnections().connect(str(tmp_path))

    for _ in range(_ATTEMPTS):
        asyncio.run(attempt())
    assert threading.active_count() == before
    assert said == []


def test_c8_a_task_that_was_cancelled_says_nothing_once_its_loop_is_gone(
    tmp_path: Path, said: list[threading.ExceptHookArgs]
) -> None:
    before = threading.active_count()

    async def cancel_and_close() -> None:
        engines = engine.connect(f"sqlite:///{tmp_path}/a.db")

        async def count() -> None:
            async with engines.transaction() as connection:
                await connection.control(_COUNT_TO)

        counting = asyncio.create_task(count())
        await asyncio.sleep(0.05)
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
        await engines.close()

    asyncio.run(cancel_and_close())
    assert threading.active_count() == before
    assert said == []


async def test_one_that_is_made_works_and_holds_no_process(tmp_path: Path) -> None:
    connection = await SqliteConnections().connect(str(tmp_path / "a.db"))
    assert connection._thread.daemon
    async with connection.execute("SELECT 1") as rows:
        assert await rows.fetchone() == (1,)
    await connection.close()
