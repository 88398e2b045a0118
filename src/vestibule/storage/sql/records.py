"""`model.store.Revocations` and `model.store.Events` in SQL: two tables that only grow."""

import json

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.events import Event
from vestibule.model.revocations import Revocation
from vestibule.storage.sql.schema import events, revocations


class SqlRevocations:
    """What ended before its tokens did."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, revocation: Revocation) -> None:
        await self._connection.execute(
            insert(revocations).values(
                at=revocation.at,
                kind=revocation.kind.value,
                subject=revocation.subject,
                not_before=revocation.not_before,
                forget_at=revocation.forget_at,
            )
        )


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
