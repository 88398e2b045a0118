"""`model.pending_sign_ins.PendingSignIns` in SQL."""

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, exists, func, insert, select

from vestibule.model.clock import MOST_APART
from vestibule.model.pending_sign_ins import DEVICE, OF_ACCOUNT, WIDE_CHARACTERS, PendingSignIn
from vestibule.storage.sql.batches import deletion_of_oldest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, pending_sign_ins

_p = pending_sign_ins.c
_a = accounts.c
_COLUMNS = [_p[field.name] for field in fields(PendingSignIn)]
_ACCOUNT = _p.account_id == bindparam("of_account", type_=_p.account_id.type)
_DIGEST = _p.digest == bindparam("of_digest", type_=_p.digest.type)
_NOW = bindparam("now", type_=Instant)
# FOR SHARE, as when a session opens: a concurrent change of the account's epoch either comes first, and this adds
# nothing, or waits.
_ADD = Prepared(
    insert(pending_sign_ins)
    .from_select(
        [column.name for column in _COLUMNS],
        select(*(bindparam(f"new_{column.name}", type_=column.type).label(column.name) for column in _COLUMNS))
        .select_from(accounts)
        .where(_a.id == bindparam("of_account"), _a.epoch == bindparam("in_epoch"), _a.disabled_at.is_(None))
        .with_for_update(read=True),
    )
    .returning(_p.digest)
)
# Which pending sign-ins an account keeps (`PendingSignIns.add`). The one just added comes first, even if a clock of
# another machine was ahead and gave an older one a later date. Then come the newest of each origin before any second
# newest, then likewise of each customer's network (`WIDE_CHARACTERS`), then those of known devices.
_JUST_ADDED = case((_DIGEST, 0), else_=1)
_BY_AGE = (_p.created_at.desc(), _p.digest)
_KNOWN_FIRST = case((_p.origin.startswith(DEVICE), 0), else_=1)
_OF_ITS_ORIGIN = func.row_number().over(partition_by=_p.origin, order_by=_BY_AGE)
_WIDE = func.substr(_p.origin, 1, WIDE_CHARACTERS)
_OF_ITS_CUSTOMER = func.row_number().over(partition_by=_WIDE, order_by=_BY_AGE)
_FAIREST = (
    select(_p.digest)
    .where(_ACCOUNT)
    .order_by(_JUST_ADDED, _OF_ITS_ORIGIN, _OF_ITS_CUSTOMER, _KNOWN_FIRST, *_BY_AGE)
    .limit(OF_ACCOUNT)
)
_DELETE_OTHERS = Prepared(delete(pending_sign_ins).where(_ACCOUNT, _p.digest.not_in(_FAIREST)))
_OF_THIS_EPOCH = exists().where(_a.id == _p.account_id, _a.epoch == _p.epoch, _a.disabled_at.is_(None))
# A sign-in added by a clock that was ahead would be valid for too long: `latest` excludes it.
_GOOD = and_(_p.expires_at > _NOW, _p.created_at <= bindparam("latest", type_=Instant), _OF_THIS_EPOCH)
_FIND = Prepared(select(*_COLUMNS).where(_DIGEST, _GOOD))
_CONSUME = Prepared(delete(pending_sign_ins).where(_DIGEST, _GOOD).returning(_p.digest))
_DELETE_OF = Prepared(delete(pending_sign_ins).where(_ACCOUNT))
_PURGE = deletion_of_oldest(pending_sign_ins, _p.expires_at < bindparam("before", type_=Instant), _p.expires_at)


class SqlPendingSignIns:
    """Implements `PendingSignIns`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def add(self, pending: PendingSignIn) -> bool:
        row = asdict(pending) | {"methods": " ".join(pending.methods), "counter_keys": json.dumps(pending.counter_keys)}
        values = {f"new_{name}": value for name, value in row.items()}
        mine = {"of_account": pending.account_id}
        added = await self._connection.execute(_ADD, values | mine | {"in_epoch": pending.epoch})
        if added.one_or_none() is None:
            return False
        await self._connection.execute(_DELETE_OTHERS, mine | {"of_digest": pending.digest})
        return True

    async def find(self, digest: str, now: datetime) -> PendingSignIn | None:
        row = (await self._connection.execute(_FIND, {"of_digest": digest, **_moments(now)})).one_or_none()
        return None if row is None else _from_row(row)

    async def consume(self, digest: str, now: datetime) -> bool:
        consumed = await self._connection.execute(_CONSUME, {"of_digest": digest, **_moments(now)})
        return consumed.one_or_none() is not None

    async def delete_of(self, account_id: str) -> None:
        await self._connection.execute(_DELETE_OF, {"of_account": account_id})

    async def purge(self, before: datetime, most: int) -> int:
        return (await self._connection.execute(_PURGE, {"before": before, "most": most})).rowcount


def _from_row(row: Any) -> PendingSignIn:
    members = row._asdict()
    methods, keys = tuple(members["methods"].split()), tuple(json.loads(members["counter_keys"]))
    return PendingSignIn(**{**members, "methods": methods, "counter_keys": keys})


def _moments(now: datetime) -> dict[str, datetime]:
    return {"now": now, "latest": now + 2 * MOST_APART}
