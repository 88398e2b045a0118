"""The tutorial server's own `users` table, read and never written (Prisma on PostgreSQL)."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, MetaData, Row, String, Table, cast, func, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from vestibule.model.accounts import DEFAULT_PHOTO, Account, Role
from vestibule.model.operator_errors import OperatorError
from vestibule.storage.sql.engine import Engines

_users = Table(
    "users",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("name", String),
    Column("email", String),
    Column("photo", String),
    Column("verified", Boolean),
    Column("password", String),
    Column("role", String),
    Column("createdAt", DateTime),
    Column("updatedAt", DateTime),
    Column("provider", String),
)


class NoSuchTable(OperatorError):
    """The database has no `users` table with the tutorial's columns. The message says what is missing."""


class SourceUnavailable(OperatorError):
    """The database to import from cannot be asked."""


class LegacyUsers:
    """The accounts in it."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    async def require(self) -> None:
        """Raises `NoSuchTable` where the table is not there, or not the tutorial's."""
        try:
            async with self._engines.reading() as connection:
                await connection.execute(select(*_users.c).limit(0))
        except (ProgrammingError, OperationalError) as fault:
            raise NoSuchTable(f"--from: {str(fault.orig).partition(chr(10))[0].rpartition('>: ')[2]}") from fault

    async def count(self) -> int:
        """How many there are."""
        async with self._engines.reading() as connection:
            return int((await connection.execute(select(func.count(_users.c.id)))).scalar_one())

    async def batches(self, size: int = 500) -> AsyncIterator[Sequence[Account]]:
        """All of them in the order of their ids, `size` at a time, so that memory does not grow with the table."""
        # The role is an enum of Prisma's; as text it is the word.
        columns = [cast(c, String).label("role") if c.name == "role" else c for c in _users.c]
        last = ""
        while True:
            query = select(*columns).where(_users.c.id > last).order_by(_users.c.id).limit(size)
            async with self._engines.reading() as connection:
                rows = (await connection.execute(query)).all()
            if not rows:
                return
            last = rows[-1].id
            yield [_account(row) for row in rows]


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        address=row.email,
        role=Role(row.role or Role.USER),
        verified=bool(row.verified),
        created_at=_utc(row.createdAt),
        updated_at=_utc(row.updatedAt),
        password_hash=row.password,
        photo=row.photo or DEFAULT_PHOTO,
        provider=row.provider,
    )


def _utc(value: datetime) -> datetime:
    # Prisma writes timestamps without a zone, in UTC.
    return value.replace(tzinfo=UTC)
