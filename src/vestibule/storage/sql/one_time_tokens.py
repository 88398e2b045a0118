"""`model.store.OneTimeTokens` in SQL."""

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.one_time_tokens import OneTimeToken, Purpose
from vestibule.storage.sql.schema import one_time_tokens


class SqlOneTimeTokens:
    """What was mailed and not yet spent."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace(self, token: OneTimeToken) -> None:
        fresh = insert(one_time_tokens).values(
            digest=token.digest,
            account_id=token.account_id,
            purpose=token.purpose.value,
            address=token.address,
            created_at=token.created_at,
            expires_at=token.expires_at,
            used_at=None,
        )
        taken_over = {
            name: fresh.excluded[name] for name in ("digest", "address", "created_at", "expires_at", "used_at")
        }
        await self._connection.execute(
            fresh.on_conflict_do_update(index_elements=["account_id", "purpose"], set_=taken_over)
        )

    async def consume(self, digest: str, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        t = one_time_tokens.c
        spent = await self._connection.execute(
            update(one_time_tokens)
            .where(t.digest == digest, t.purpose == purpose.value, t.used_at.is_(None), t.expires_at > now)
            .values(used_at=now)
            .returning(t.account_id, t.address, t.created_at, t.expires_at)
        )
        row = spent.one_or_none()
        if row is None:
            return None
        return OneTimeToken(digest, row.account_id, purpose, row.address, row.created_at, row.expires_at)

    async def void(self, account_id: str) -> None:
        await self._connection.execute(delete(one_time_tokens).where(one_time_tokens.c.account_id == account_id))
