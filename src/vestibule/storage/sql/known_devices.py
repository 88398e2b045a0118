"""`model.store.KnownDevices` in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.storage.sql.batches import delete_oldest
from vestibule.storage.sql.schema import known_devices

_d = known_devices.c


class SqlKnownDevices:
    """Which browsers have signed in to which account."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def seen(self, account_id: str, digest: str, now: datetime) -> bool:
        moved = await self._connection.execute(
            update(known_devices)
            .where(_d.account_id == account_id, _d.digest == digest)
            .values(last_seen_at=now)
            .returning(_d.digest)
        )
        return moved.one_or_none() is not None

    async def knows(self, account_id: str, digests: Sequence[str]) -> bool:
        known = select(exists().where(_d.account_id == account_id, _d.digest.in_(digests)))
        return bool((await self._connection.execute(known)).scalar_one())

    async def any(self, account_id: str) -> bool:
        return bool((await self._connection.execute(select(exists().where(_d.account_id == account_id)))).scalar_one())

    async def add(self, account_id: str, digest: str, now: datetime) -> None:
        await self._connection.execute(
            insert(known_devices)
            .values(account_id=account_id, digest=digest, created_at=now, last_seen_at=now)
            .on_conflict_do_nothing()
        )

    async def forget(self, account_id: str) -> None:
        await self._connection.execute(delete(known_devices).where(_d.account_id == account_id))

    async def forget_unseen(self, before: datetime, most: int) -> int:
        later = known_devices.alias()
        seen_with_another = exists().where(later.c.account_id == _d.account_id, later.c.last_seen_at > _d.last_seen_at)
        return await delete_oldest(
            self._connection, known_devices, and_(_d.last_seen_at < before, seen_with_another), _d.last_seen_at, most
        )
