"""`model.store.OneTimeTokens` in SQL."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.one_time_tokens import OneTimeToken, Purpose
from vestibule.storage.sql.schema import one_time_tokens

_t = one_time_tokens.c


class SqlOneTimeTokens:
    """What was mailed and not yet spent."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace(self, token: OneTimeToken) -> None:
        older = [_t.account_id == token.account_id, _t.purpose == token.purpose.value]
        if token.letter_id is not None:
            older.append(or_(_t.letter_id.is_(None), _t.letter_id != token.letter_id))
        if token.purpose is Purpose.UNDO_ADDRESS_CHANGE:
            older.append(_t.address == token.address)
        await self._connection.execute(delete(one_time_tokens).where(*older))
        await self._connection.execute(
            insert(one_time_tokens).values({**asdict(token), "purpose": token.purpose.value})
        )

    async def consume(self, digest: str, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        # One statement for it and for its twins in the same letter: whoever comes second waits for the first, then
        # finds none of them unused.
        unused = (_t.purpose == purpose.value, _t.used_at.is_(None))
        presented = one_time_tokens.alias()
        whose = (
            select(presented.c.account_id)
            .where(
                presented.c.digest == digest,
                presented.c.purpose == purpose.value,
                presented.c.used_at.is_(None),
                presented.c.expires_at > now,
            )
            .scalar_subquery()
        )
        spent = await self._connection.execute(
            update(one_time_tokens)
            .where(*unused, _t.account_id == whose)
            .values(used_at=now)
            .returning(_t.digest, _t.account_id, _t.address, _t.created_at, _t.expires_at, _t.letter_id)
        )
        for row in spent:
            if row.digest == digest:
                return OneTimeToken(
                    digest, row.account_id, purpose, row.address, row.created_at, row.expires_at, row.letter_id
                )
        return None

    async def void(self, account_id: str, *, undo_too: bool = False) -> None:
        spared = [] if undo_too else [_t.purpose != Purpose.UNDO_ADDRESS_CHANGE.value]
        await self._connection.execute(delete(one_time_tokens).where(_t.account_id == account_id, *spared))
