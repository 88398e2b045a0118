"""`model.store.Tallies` in SQL: one guarded statement for each thing that is counted."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import case
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.limits import Limit
from vestibule.storage.sql.batches import delete_oldest
from vestibule.storage.sql.schema import tallies


class SqlTallies:
    """How often something was done lately. Whom it concerns is kept as a digest, for it may be nobody's account."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, limit: Limit, subject: str, now: datetime) -> bool:
        t = tallies.c
        key = sha256(f"{limit.name}:{subject}".encode()).hexdigest()
        over = t.ends_at <= now
        counted = (
            insert(tallies)
            .values(subject=key, count=1, ends_at=now + limit.within)
            .on_conflict_do_update(
                index_elements=[t.subject],
                set_={
                    "count": case((over, 1), else_=t.count + 1),
                    "ends_at": case((over, now + limit.within), else_=t.ends_at),
                },
                where=over | (t.count < limit.times),
            )
            .returning(t.count)
        )
        return (await self._connection.execute(counted)).one_or_none() is not None

    async def forget(self, now: datetime, most: int) -> int:
        return await delete_oldest(self._connection, tallies, tallies.c.ends_at <= now, tallies.c.ends_at, most)
