"""`model.passkeys.Passkeys` and `Ceremonies` in SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, false, func, not_, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from vestibule.crypto.opaque import digest
from vestibule.model.passkeys import MOST_PASSKEYS, Ceremony, Passkey, PasskeyUse
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.batches import deletion_of_oldest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import ceremonies, passkeys

_p = passkeys.c
_ACCOUNT = bindparam("of_account", type_=_p.account_id.type)
_THIS = _p.id == bindparam("of_passkey", type_=_p.id.type)
_MINE = and_(_THIS, _p.account_id == _ACCOUNT)
_NOW = bindparam("now", type_=Instant)
_COUNT = bindparam("new_count", type_=_p.sign_count.type)
_others = passkeys.alias()
_NUMBER = (
    select(func.count())
    .select_from(_others)
    .where(_others.c.account_id == bindparam("new_account_id"))
    .scalar_subquery()
)
_ADD = Prepared(
    insert(passkeys)
    .from_select(
        [column.name for column in _p],
        select(*(bindparam(f"new_{column.name}", type_=column.type) for column in _p)).where(_NUMBER < MOST_PASSKEYS),
    )
    .on_conflict_do_nothing()
    .returning(_p.id)
)
_OF_ACCOUNT = Prepared(select(passkeys).where(_p.account_id == _ACCOUNT).order_by(_p.created_at, _p.id))
_WITH_CREDENTIAL = Prepared(select(passkeys).where(_p.credential_id == bindparam("of_credential")))
_MAY_BE_USED = or_(not_(_p.needs_password), bindparam("beside_another", type_=_p.needs_password.type))
_NOTE_USE = (
    update(passkeys)
    .where(_THIS, _MAY_BE_USED)
    .values(last_used_at=_NOW, backed_up=bindparam("new_backed_up"), needs_password=false())
    .returning(_p.id)
)
# An authenticator that does not count always sends 0.
_COUNTS_ON = (_p.sign_count < _COUNT) | ((_p.sign_count == 0) & (_COUNT == 0))
_COUNT_ON = Prepared(_NOTE_USE.where(_COUNTS_ON).values(sign_count=_COUNT))
_USE = Prepared(_NOTE_USE)
_NEED_PASSWORD = Prepared(update(passkeys).where(_p.account_id == _ACCOUNT).values(needs_password=true()))
_RENAME = Prepared(update(passkeys).where(_MINE).values(name=bindparam("new_name")))
_REMOVE = Prepared(delete(passkeys).where(_MINE).returning(passkeys))
_DOMAIN = Prepared(select(_p.domain).limit(1))
_SPEND = Prepared(
    insert(ceremonies)
    .values(digest=bindparam("new_digest"), expires_at=bindparam("ends_at", type_=Instant))
    .on_conflict_do_nothing()
    .returning(ceremonies.c.digest)
)
_ENDED = ceremonies.c.expires_at < bindparam("before", type_=Instant)
_PURGE = deletion_of_oldest(ceremonies, _ENDED, ceremonies.c.expires_at)
_READER = odd_rows.Reader(tuple(_p))


class SqlPasskeys:
    """Implements `Passkeys`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def add(self, passkey: Passkey) -> bool:
        row = {**asdict(passkey), "transports": " ".join(passkey.transports)}
        added = await self._connection.execute(_ADD, {f"new_{name}": value for name, value in row.items()})
        return added.one_or_none() is not None

    async def of_account(self, account_id: str) -> Sequence[Passkey]:
        rows = await self._connection.execute(_OF_ACCOUNT, {"of_account": account_id})
        return [passkey for row in rows if (passkey := _from_row(row)) is not None]

    async def with_credential(self, credential_id: str) -> Passkey | None:
        found = await self._connection.execute(_WITH_CREDENTIAL, {"of_credential": credential_id})
        return _from_row(found.one_or_none())

    async def use(
        self, passkey_id: str, sign_count: int, now: datetime, *, backed_up: bool, alone: bool = True
    ) -> PasskeyUse | None:
        which = {"of_passkey": passkey_id, "now": now, "new_backed_up": backed_up, "beside_another": not alone}
        counted = await self._connection.execute(_COUNT_ON, {**which, "new_count": sign_count})
        if counted.one_or_none() is not None:
            return PasskeyUse(counted_on=True)
        used = await self._connection.execute(_USE, which)
        return PasskeyUse(counted_on=False) if used.one_or_none() is not None else None

    async def need_password(self, account_id: str) -> None:
        await self._connection.execute(_NEED_PASSWORD, {"of_account": account_id})

    async def rename(self, account_id: str, passkey_id: str, name: str) -> bool:
        which = {"of_account": account_id, "of_passkey": passkey_id, "new_name": name}
        return bool((await self._connection.execute(_RENAME, which)).rowcount)

    async def remove(self, account_id: str, passkey_id: str) -> Passkey | None:
        removed = await self._connection.execute(_REMOVE, {"of_account": account_id, "of_passkey": passkey_id})
        return _from_row(removed.one_or_none())

    async def domain(self) -> str | None:
        domain: str | None = (await self._connection.execute(_DOMAIN)).scalar_one_or_none()
        return domain


class SqlCeremonies:
    """Implements `Ceremonies`. Only the digest of a challenge is stored, and only once the challenge was answered."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def spend(self, ceremony: Ceremony) -> bool:
        spent = {"new_digest": digest(ceremony.challenge.hex()), "ends_at": ceremony.expires_at}
        return (await self._connection.execute(_SPEND, spent)).one_or_none() is not None

    async def purge(self, before: datetime, most: int) -> int:
        return (await self._connection.execute(_PURGE, {"before": before, "most": most})).rowcount


def _from_row(row: Sequence[Any] | None) -> Passkey | None:
    """Return the passkey; None without a row, or, with a log line, if the row is malformed."""
    if row is None:
        return None
    try:
        members = _READER.read(row)
        return Passkey(**{**members, "transports": tuple(members["transports"].split())})
    except OddRow as why:
        odd_rows.log_skipped(passkeys.name, row[0], why)
        return None
