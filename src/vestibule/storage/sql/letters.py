"""`model.store.Letters` in SQL: the outbox."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.letters import LEASE, LetterKind, QueuedLetter
from vestibule.storage.sql.schema import letters


class SqlLetters:
    """The outbox. A claim moves the due time to the end of the lease, so a lost worker's letter falls due again."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def queue(self, letter: QueuedLetter) -> None:
        await self._connection.execute(
            insert(letters).values(
                id=letter.id,
                kind=letter.kind.value,
                account_id=letter.account_id,
                created_at=letter.created_at,
                due_at=letter.created_at,
                attempts=letter.attempts,
            )
        )

    async def claim(self, now: datetime) -> QueuedLetter | None:
        oldest = (
            select(letters.c.id)
            .where(letters.c.settled_at.is_(None), letters.c.due_at <= now)
            .order_by(letters.c.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        claimed = await self._connection.execute(
            update(letters)
            .where(letters.c.id == oldest.scalar_subquery())
            .values(due_at=now + LEASE, attempts=letters.c.attempts + 1)
            .returning(letters.c.id, letters.c.kind, letters.c.account_id, letters.c.created_at, letters.c.attempts)
        )
        row = claimed.one_or_none()
        if row is None:
            return None
        return QueuedLetter(row.id, LetterKind(row.kind), row.account_id, row.created_at, row.attempts)

    async def settle(self, letter_id: str, now: datetime) -> None:
        await self._connection.execute(
            update(letters).where(letters.c.id == letter_id).values(settled_at=now, last_fault=None)
        )

    async def put_off(self, letter_id: str, due_at: datetime, fault: str) -> None:
        await self._connection.execute(
            update(letters).where(letters.c.id == letter_id).values(due_at=due_at, last_fault=fault)
        )
