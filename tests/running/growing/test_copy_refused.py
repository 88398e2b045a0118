"""`vestibule copy-database` from a file with a row that does not fit: it is named, and nothing is copied."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.harness.backends import Backend, fresh
from tests.harness.process import complaint
from tests.running.growing.test_copy_database import contents, moved
from vestibule.storage.sql import engine
from vestibule.storage.sql.database_copy import DatabaseCopy, RowRefused

ID, CANARY = "0b0e0a52-7f11-4b6e-9f3b-000000000007", "canary-5f1c"
FILLED = f"""
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)
INSERT INTO accounts (id, name, email, role, verified, photo, epoch, created_at, updated_at)
SELECT 'id ' || i, 'Ada', i || '@example.com', 'user', 1, 'default.png', 0, '2026-01-01 00:00:00.000000',
'2026-01-01 00:00:00.000000' FROM n;
UPDATE accounts SET id = '{ID}' WHERE id = 'id 600';
INSERT INTO sessions (id, account_id, user_agent, network_address, created_at, last_seen_at, idle_expires_at,
expires_at, issued_at, current, parent, base)
SELECT 'a session', '{ID}', 'a browser', '192.0.2.1', created_at, created_at, created_at, created_at,
created_at, 1, 0, 0
FROM accounts WHERE id = '{ID}';
"""
ODD = {
    "a NUL": (f"UPDATE accounts SET name = '{CANARY}' || char(0) WHERE id = '{ID}'", "invalid byte sequence"),
    "too long": (f"UPDATE accounts SET name = printf('%.300c', 'x') WHERE id = '{ID}'", "value too long for type"),
    "too large": (
        f"UPDATE accounts SET epoch = 99999999999 WHERE id = '{ID}'",
        "its epoch does not fit its column",
    ),
    "bytes": (f"UPDATE accounts SET name = x'ff41' WHERE id = '{ID}'", "its name does not fit its column"),
    "no UTF-8": (
        f"UPDATE accounts SET name = CAST(x'ff41' AS TEXT) WHERE id = '{ID}'",
        "its name does not fit its column",
    ),
    "no time": (
        f"UPDATE accounts SET created_at = '{CANARY}' WHERE id = '{ID}'",
        "its created_at does not fit its column",
    ),
    "a word": (f"UPDATE accounts SET epoch = '{CANARY}' WHERE id = '{ID}'", "its epoch does not fit its column"),
}


def fill(address: str, statement: str) -> None:
    with sqlite3.connect(address.removeprefix("sqlite:///")) as database:
        database.executescript(FILLED + statement)


async def refusal_of(source: str, target: str) -> str:
    """What the copy says; it must leave the target empty."""
    here, there = engine.connect(source), engine.connect(target)
    with pytest.raises(RowRefused) as refusal:
        await DatabaseCopy(here, there).run(lambda _: None)
    assert not any((await contents(there)).values())
    await here.close()
    await there.close()
    return str(refusal.value)


@pytest.mark.parametrize("which", ODD)
async def test_c39_a_row_that_postgresql_does_not_take_is_named_and_nothing_is_copied(
    which: str, postgresql: Backend, tmp_path: Path
) -> None:
    statement, why = ODD[which]
    async with fresh("sqlite", tmp_path) as source:
        fill(source.database_url, statement)
        said = await refusal_of(source.database_url, postgresql.database_url)
    assert f"the row of accounts with id {ID} does not fit into the new database: {why}" in said
    assert "nothing was copied" in said
    assert CANARY not in said


async def test_c39_a_row_that_refers_to_none_is_named(postgresql: Backend, tmp_path: Path) -> None:
    async with fresh("sqlite", tmp_path) as source:
        fill(source.database_url, f"UPDATE sessions SET account_id = '{CANARY}'")
        said = await refusal_of(source.database_url, postgresql.database_url)
    assert "the row of sessions with id a session does not fit" in said
    assert CANARY not in said


async def test_c39_a_row_that_a_file_does_not_take_is_named(tmp_path: Path) -> None:
    async with fresh("sqlite", tmp_path) as source, fresh("sqlite", tmp_path) as target:
        fill(source.database_url, ODD["no UTF-8"][0])
        said = await refusal_of(source.database_url, target.database_url)
    assert (
        f"the row of accounts with id {ID} does not fit into the new database: a value does not fit its column" in said
    )


async def test_c39_the_command_ends_with_one_sentence(postgresql: Backend, tmp_path: Path) -> None:
    async with fresh("sqlite", tmp_path) as source:
        fill(source.database_url, ODD["a NUL"][0])
        ended = await asyncio.to_thread(moved, tmp_path, postgresql.database_url, source.database_url)
    assert ended.returncode == 2
    assert f"--from: the row of accounts with id {ID}" in complaint(ended.stderr.splitlines()[-1])
    assert "Traceback" not in ended.stderr
    assert CANARY not in ended.stderr
