"""`model.store.SigningKeys` in SQL."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.signing_keys import KeyState, KeyUse, SealedKey
from vestibule.storage.sql.schema import signing_keys


class SqlSigningKeys:
    """The server's own keys, sealed. A unique index lets each use have one current key."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[SealedKey]:
        rows = await self._connection.execute(select(signing_keys).order_by(signing_keys.c.created_at.desc()))
        return [
            SealedKey(row.kid, KeyUse(row.use), KeyState(row.state), row.alg, row.sealed_private, row.created_at)
            for row in rows
        ]

    async def add_current(self, key: SealedKey) -> bool:
        added = await self._connection.execute(
            insert(signing_keys)
            .values(
                kid=key.kid,
                use=key.use.value,
                state=KeyState.CURRENT.value,
                alg=key.alg,
                sealed_private=key.sealed_private,
                created_at=key.created_at,
            )
            .on_conflict_do_nothing()
        )
        return bool(added.rowcount)
