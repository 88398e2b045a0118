"""`model.recovery_codes.RecoveryCodes` in SQL: one guarded UPDATE spends each code once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import recovery_codes

_r = recovery_codes.c
_ACCOUNT = _r.account_id == bindparam("of_account", type_=_r.account_id.type)
_THIS_UNUSED = (_ACCOUNT, _r.number == bindparam("of_number", type_=_r.number.type), _r.used_at.is_(None))
_HASH = bindparam("of_hash", type_=_r.hash.type)
_DELETE_OF = Prepared(delete(recovery_codes).where(_ACCOUNT))
_ADD = Prepared(insert(recovery_codes))
_UNUSED = Prepared(select(_r.hash).where(*_THIS_UNUSED))
_SPEND = Prepared(
    update(recovery_codes).where(*_THIS_UNUSED, _r.hash == _HASH).values(used_at=bindparam("now", type_=Instant))
)


class SqlRecoveryCodes:
    """Implements `RecoveryCodes`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def replace(self, account_id: str, hashes: Sequence[str], now: datetime) -> None:
        await self.delete_of(account_id)
        for number, code_hash in enumerate(hashes):
            row = {"account_id": account_id, "number": number, "hash": code_hash, "created_at": now, "used_at": None}
            await self._connection.execute(_ADD, row)

    async def unused(self, account_id: str, number: int) -> str | None:
        found = await self._connection.execute(_UNUSED, {"of_account": account_id, "of_number": number})
        code_hash: str | None = found.scalar_one_or_none()
        return code_hash

    async def spend(self, account_id: str, number: int, code_hash: str, now: datetime) -> bool:
        which = {"of_account": account_id, "of_number": number, "of_hash": code_hash, "now": now}
        return bool((await self._connection.execute(_SPEND, which)).rowcount)

    async def delete_of(self, account_id: str) -> None:
        await self._connection.execute(_DELETE_OF, {"of_account": account_id})
