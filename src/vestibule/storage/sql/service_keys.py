"""`model.store.ServiceKeys` in SQL."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.service_keys import ServiceKey
from vestibule.storage.sql.schema import service_keys

_s = service_keys.c


class SqlServiceKeys:
    """The keys of services, as digests."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, key: ServiceKey) -> bool:
        added = await self._connection.execute(
            insert(service_keys)
            .values(name=key.name, digest=key.digest, created_at=key.created_at)
            .on_conflict_do_nothing()
        )
        return bool(added.rowcount)

    async def with_digest(self, digest: str) -> ServiceKey | None:
        found = await self._connection.execute(select(service_keys).where(_s.digest == digest))
        row = found.one_or_none()
        return ServiceKey(*row) if row else None

    async def all(self) -> list[ServiceKey]:
        return [ServiceKey(*row) for row in await self._connection.execute(select(service_keys).order_by(_s.name))]

    async def remove(self, name: str) -> bool:
        removed = await self._connection.execute(delete(service_keys).where(_s.name == name))
        return bool(removed.rowcount)
