"""The two ways Vestibule runs: on one SQLite file, and on PostgreSQL with Redis. Each test gets an empty one."""

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
SECRET = "Vq3x-7LmZt0rKc9Yw2Hn5_Pd8Jg4Bs6Fu1Ea-Xi7Ro0"  # opens nothing but what tests seal


@dataclass(frozen=True)
class Backend:
    """Addresses of an empty, migrated database and, beside PostgreSQL, of a Redis."""

    database_url: str
    redis_url: str | None

    @property
    def environment(self) -> dict[str, str]:
        """The settings that choose this backend; where others may share it, the secret as well that they share."""
        redis = {"REDIS_URL": self.redis_url, "VESTIBULE_SECRET_KEY": SECRET} if self.redis_url else {}
        return {"DATABASE_URL": self.database_url, **redis}


@asynccontextmanager
async def fresh(kind: str, folder: Path) -> AsyncIterator[Backend]:
    """An empty backend of a kind, gone afterwards."""
    if kind == SQLITE:
        path = folder / f"{random_bytes(8).hex()}.sqlite3"
        shutil.copy(await asyncio.to_thread(_sqlite_template), path)
        yield Backend(f"sqlite:///{path}", None)
        return
    async with postgresql_database(await asyncio.to_thread(postgresql_template)) as address:
        yield Backend(address, f"{servers.redis()}/0")


def embedded(data: Path) -> None:
    """Give a server that has no data folder one with an empty database, for migrating takes a process of its own."""
    if not data.exists():
        data.mkdir(mode=0o700)
        shutil.copy(_sqlite_template(), data / "vestibule.sqlite3")


@asynccontextmanager
async def postgresql_database(template: str = "template1") -> AsyncIterator[str]:
    """The address of a new PostgreSQL database, gone afterwards."""
    name = f"t_{random_bytes(8).hex()}"
    await _on_server(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield f"{servers.postgresql()}/{name}"
    finally:
        await drop(f"{servers.postgresql()}/{name}")


async def drop(database_url: str) -> None:
    """Take a PostgreSQL database away, even while others are connected to it."""
    await _on_server(f"DROP DATABASE IF EXISTS {database_url.rpartition('/')[2]} WITH (FORCE)")


def replace_by_folder(path: Path) -> None:
    """Take a SQLite file away, and see to it that no new one is made in its place."""
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
    """Do it on a thread of its own: the browser's library has a loop running in the one that asks."""
    with ThreadPoolExecutor(max_workers=1) as alone:
        alone.submit(asyncio.run, work).result()


async def _migrate(address: str) -> None:
    """Migrate, and take away the trigger that keeps young events: it asks the database's clock, and a test sets its own
    one years ahead. `tests/unit/storage/test_append_only.py` puts it back.
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
