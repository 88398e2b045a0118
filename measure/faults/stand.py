"""Start the stand: the servers, what they depend on, and a proxy in front of each of those."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from measure.faults.mailbox import Mailbox
from measure.faults.node import Node
from measure.postgres import Postgres
from tests.harness.backends import SQLITE, fresh
from tests.harness.fault_proxy import FaultProxy, in_front_of
from tests.harness.process import UNLIMITED, given_keys
from tests.harness.redis_server import RedisServer
from vestibule.storage.sql import engine
from vestibule.storage.sql.migrate import migrate

# All load comes from one network address. With the usual limits, it would count as an attack.
_NO_LIMITS = {**UNLIMITED, "VESTIBULE_LETTERS_PER_EMAIL": "1000"}


@dataclass(frozen=True)
class Needs:
    """What a cell needs besides the mail server. Without `postgresql`, the servers use a SQLite file."""

    postgresql: bool = True
    redis: bool = True
    servers: int = 2
    settings: Mapping[str, str] = field(default_factory=dict)
    database_options: Mapping[str, str] = field(default_factory=dict)
    redis_options: tuple[str, ...] = ()


STANDARD = Needs()


@dataclass(frozen=True)
class Footprint:
    """What the servers hold: processes, connections to the database, open files, resident megabytes."""

    processes: int
    connections: int
    files: int
    megabytes: float


@dataclass
class Stand:
    """Everything that a cell may break. `sqlite` is the database file; None on PostgreSQL."""

    folder: Path
    nodes: list[Node]
    mailbox: Mailbox
    mail_link: FaultProxy
    postgres: Postgres
    database_link: FaultProxy
    redis: RedisServer
    redis_link: FaultProxy
    sqlite: Path | None = None

    @property
    def ports(self) -> list[int]:
        return [node.port for node in self.nodes]

    async def ask(self, query: str, *arguments: object) -> list[Any]:
        """Return the rows of a query on the database, past every proxy."""
        if self.sqlite is None:
            return list(await self.postgres.ask(query, *arguments))
        engines = engine.connect(f"sqlite:///{self.sqlite}")
        try:
            async with engines.sqlalchemy_reading() as connection:
                return list((await connection.exec_driver_sql(query, tuple(arguments))).all())
        finally:
            await engines.close()

    async def footprint(self) -> Footprint:
        family = [process for node in self.nodes if node.alive for process in node.family()]
        connections = 0
        if self.sqlite is None:
            held = await self.postgres.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vestibule'")
            connections = held[0][0]
        files, megabytes = 0, 0.0
        for process in family:
            try:
                files += process.num_fds()
                megabytes += process.memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                continue
        return Footprint(len(family), connections, files, megabytes)


@asynccontextmanager
async def standing(folder: Path, needs: Needs) -> AsyncIterator[Stand]:
    """Yield a stand whose servers answer, and remove all of it after the block."""
    async with AsyncExitStack() as stack:
        mailbox, postgres, redis = Mailbox(), Postgres(), RedisServer(*needs.redis_options)
        stack.callback(redis.remove)
        stack.callback(postgres.remove)
        await mailbox.start()
        stack.push_async_callback(mailbox.stop)
        mail_link = stack.enter_context(in_front_of(mailbox.port))
        database_link = stack.enter_context(in_front_of(postgres.port))
        redis_link = stack.enter_context(in_front_of(redis.port))
        settings = {
            **given_keys(),
            **_NO_LIMITS,
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mail_link.port),
            "VESTIBULE_EMAIL_SECURITY": "none",
            "VESTIBULE_LOG_LEVEL": "warning",
        }
        sqlite = None
        if needs.redis:
            await asyncio.to_thread(redis.start)
            settings["REDIS_URL"] = redis.address(redis_link.port)
        if needs.postgresql:
            await asyncio.to_thread(postgres.create, **needs.database_options)
            await postgres.admin("CREATE DATABASE vestibule")
            await _migrate(postgres.address())
            settings["DATABASE_URL"] = postgres.address(database_link.port)
        else:
            backend = await stack.enter_async_context(fresh(SQLITE, folder))
            sqlite = Path(backend.database_url.removeprefix("sqlite:///"))
            settings["DATABASE_URL"] = backend.database_url
        nodes = [Node(folder / f"node{number}", settings | dict(needs.settings)) for number in range(needs.servers)]
        for node in nodes:
            stack.callback(node.close)
        await asyncio.gather(*(node.start() for node in nodes))
        yield Stand(folder, nodes, mailbox, mail_link, postgres, database_link, redis, redis_link, sqlite)


async def _migrate(address: str) -> None:
    engines = engine.connect(address)
    await migrate(engines)
    await engines.close()
