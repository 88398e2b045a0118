"""`model.service_keys.ServiceKeys` in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from vestibule.model.service_keys import ServiceKey
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import service_keys

_s = service_keys.c
_ALL = Prepared(select(service_keys).order_by(_s.name))
_WITH_DIGEST = Prepared(select(service_keys).where(_s.digest == bindparam("of_digest")))
_READER = odd_rows.Reader(tuple(service_keys.c))


class SqlServiceKeys:
    """Implements `ServiceKeys`: service keys, stored as digests."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def add(self, key: ServiceKey) -> bool:
        added = await self._connection.execute(
            insert(service_keys)
            .values(name=key.name, digest=key.digest, created_at=key.created_at)
            .on_conflict_do_nothing()
        )
        return bool(added.rowcount)

    async def with_digest(self, digest: str) -> ServiceKey | None:
        found = await self._connection.execute(_WITH_DIGEST, {"of_digest": digest})
        row = found.one_or_none()
        return _from_row(row) if row else None

    async def all(self) -> list[ServiceKey]:
        rows = await self._connection.execute(_ALL)
        return [key for row in rows if (key := _from_row(row)) is not None]

    async def remove(self, name: str) -> bool:
        removed = await self._connection.execute(delete(service_keys).where(_s.name == name))
        return bool(removed.rowcount)


def _from_row(row: Sequence[Any]) -> ServiceKey | None:
    """Return the key; None, and a log line, if the row is malformed, which then authenticates nobody."""
    try:
        return ServiceKey(**_READER.read(row))
    except OddRow as why:
        odd_rows.log_skipped(service_keys.name, row[0], why)
        return None
