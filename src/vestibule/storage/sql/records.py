"""`model.store.Revocations` and `model.store.Events` in SQL: two tables that only grow."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.events import Event
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.storage.sql.schema import events, revocations

_REVOCATION_MEMBERS = ("at", "kind", "subject", "forget_at", "not_before")


class SqlRevocations:
    """What ended before its tokens did."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, batch: Sequence[Revocation]) -> list[Revocation]:
        if not batch:
            return []
        rows = [{name: getattr(revocation, name) for name in _REVOCATION_MEMBERS} for revocation in batch]
        added = await self._connection.execute(
            insert(revocations).values(rows).returning(revocations.c.sequence, revocations.c.subject)
        )
        numbers = {row.subject: row.sequence for row in added}
        return [replace(revocation, sequence=numbers[revocation.subject]) for revocation in batch]

    async def after(self, sequence: int) -> list[Revocation]:
        r = revocations.c
        rows = await self._connection.execute(
            select(r.at, r.kind, r.subject, r.forget_at, r.not_before, r.sequence)
            .where(r.sequence > sequence)
            .order_by(r.sequence)
        )
        return [Revocation(at, RevocationKind(kind), *rest) for at, kind, *rest in rows]

    async def forget(self, now: datetime) -> int:
        gone = await self._connection.execute(delete(revocations).where(revocations.c.forget_at < now))
        return gone.rowcount


class SqlEvents:
    """What happened."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def record(self, event: Event) -> None:
        await self._connection.execute(
            insert(events).values(
                at=event.at,
                kind=event.kind.value,
                account_id=event.account_id,
                session_id=event.session_id,
                network_address=event.network_address,
                detail=json.dumps(event.detail),
            )
        )
