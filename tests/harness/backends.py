"""Make the two backends that Vestibule runs on: one SQLite file, or PostgreSQL with Redis. Each test gets
an empty one.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from tests.harness import run, servers
from vestibule.crypto.entropy import random_bytes
from vestibule.storage.sql import engine
from vestibule.storage.sql.migrate import migrate

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
ALL = (SQLITE, POSTGRESQL)
SECRET = "Vq3x-7LmZt0rKc9Yw2Hn5_Pd8Jg4Bs6Fu1Ea-Xi7Ro0"  # decrypts nothing but what tests encrypt


@dataclass(frozen=True)
class Backend:
    """The URLs of an empty, migrated database and, with PostgreSQL, of a Redis."""

    database_url: str
    redis_url: str | None

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings that choose this backend. With Redis, several servers may share it, so they get one
        secret.
        """
        redis = {"REDIS_URL": self.redis_url, "VESTIBULE_SECRET_KEY": SECRET} if self.redis_url else {}
        return {"DATABASE_URL": self.database_url, **redis}


@asynccontextmanager
async def fresh(kind: str, folder: Path) -> AsyncIterator[Backend]:
    """Yield an empty backend of a kind. A PostgreSQL database is dropped after the block."""
    if kind == SQLITE:
        path = folder / f"{random_bytes(8).hex()}.sqlite3"
        shutil.copy(await asyncio.to_thread(_sqlite_template), path)
        yield Backend(f"sqlite:///{path}", None)
        return
    async with postgresql_database(await asyncio.to_thread(postgresql_template)) as address:
        yield Backend(address, f"{servers.redis()}/0")


def embedded(data: Path) -> None:
    """Make a data folder with an empty, migrated database, unless it exists: a server would have to migrate first."""
    if not data.exists():
        data.mkdir(mode=0o700)
        shutil.copy(_sqlite_template(), data / "vestibule.sqlite3")


@asynccontextmanager
async def postgresql_database(template: str = "template1") -> AsyncIterator[str]:
    """Yield the URL of a new PostgreSQL database, which is dropped after the block."""
    name = f"t_{random_bytes(8).hex()}"
    await _on_server(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield f"{servers.postgresql()}/{name}"
    finally:
        await drop(f"{servers.postgresql()}/{name}")


async def drop(database_url: str) -> None:
    """Drop a PostgreSQL database, even while others are connected to it."""
    await _on_server(f"DROP DATABASE IF EXISTS {database_url.rpartition('/')[2]} WITH (FORCE)")


def replace_by_folder(path: Path) -> None:
    """Move a SQLite file away, and put a folder in its place, so that no new file can be made there."""
    path.rename(path.with_suffix(".away"))
    path.mkdir()


@cache
def _sqlite_template() -> str:
    return run.once("sqlite", _make_sqlite_template)


def _make_sqlite_template() -> str:
    path = run.folder() / "template.sqlite3"
    _apart(_migrate(f"sqlite:///{path}"))
    return str(path)


@cache
def postgresql_template() -> str:
    servers.postgresql()
    return run.once("template", _make_postgresql_template)


def _make_postgresql_template() -> str:
    name = f"template_{random_bytes(8).hex()}"
    _apart(_on_server(f"CREATE DATABASE {name}"))
    _apart(_migrate(f"{servers.postgresql()}/{name}"))
    return name


def _apart(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on another thread, and wait for it: in browser tests, this thread already runs an event loop."""
    with ThreadPoolExecutor(max_workers=1) as alone:
        alone.submit(asyncio.run, work).result()


async def _migrate(address: str) -> None:
    """Migrate, and drop the trigger that keeps young events: it uses the database's clock, and tests set their own
    clock years ahead. `tests/unit/storage/test_append_only.py` makes the trigger again.
    """
    engines = engine.connect(address)
    await migrate(engines)
    of_table = " ON events" if engines.dialect == POSTGRESQL else ""
    async with engines.sqlalchemy_transaction() as connection:
        await connection.exec_driver_sql(f"DROP TRIGGER events_not_deleted{of_table}")
    await engines.close()


async def _on_server(statement: str) -> None:
    connection = await asyncpg.connect(f"{servers.postgresql()}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
