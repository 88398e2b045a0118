"""`model.totp.Totps` in SQL: one guarded UPDATE accepts each time step once."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, insert, not_, or_, select, update

from vestibule.model.pending_sign_ins import BEGINNER_CHARACTERS
from vestibule.model.totp import Totp
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import pending_sign_ins, sessions, totps

_t = totps.c
_COLUMNS = [_t[field.name] for field in fields(Totp)]
_ACCOUNT = _t.account_id == bindparam("of_account", type_=_t.account_id.type)
_ID = _t.id == bindparam("of_id", type_=_t.id.type)
_STEP = bindparam("of_step", type_=_t.last_step.type)
_NOW = bindparam("now", type_=Instant)
_UNCONFIRMED = _t.confirmed_at.is_(None)
# What began to add the app still exists: the session, or the pending sign-in (`PendingSignIn.beginner`).
_OF_SESSION = exists().where(
    sessions.c.id == _t.session_id, sessions.c.account_id == _t.account_id, sessions.c.ended_at.is_(None)
)
_OF_SIGN_IN = exists().where(
    pending_sign_ins.c.account_id == _t.account_id,
    func.substr(pending_sign_ins.c.digest, 1, BEGINNER_CHARACTERS) == _t.session_id,
)
_OF_BEGINNER = _t.session_id == bindparam("of_session", type_=_t.session_id.type)
_TOO_OLD = _t.created_at < bindparam("begun_before", type_=Instant)
_DELETE_UNCONFIRMED = Prepared(
    delete(totps).where(_ACCOUNT, _UNCONFIRMED, or_(_OF_BEGINNER, _TOO_OLD, not_(or_(_OF_SESSION, _OF_SIGN_IN))))
)
_ADD = Prepared(insert(totps))
_FIND_CONFIRMED = Prepared(select(*_COLUMNS).where(_ACCOUNT, _t.confirmed_at.is_not(None)))
_FIND_UNCONFIRMED = Prepared(select(*_COLUMNS).where(_ACCOUNT, _OF_BEGINNER, _UNCONFIRMED))
_USED = {"last_step": _STEP, "last_used_at": _NOW}
_CONFIRM = Prepared(update(totps).where(_ID, _ACCOUNT, _UNCONFIRMED).values(confirmed_at=_NOW, **_USED))
_DELETE_OTHERS = Prepared(delete(totps).where(_ACCOUNT, _t.id != bindparam("of_id", type_=_t.id.type)))
_ACCEPT = Prepared(
    update(totps)
    .where(_ID, _t.confirmed_at.is_not(None), or_(_t.last_step.is_(None), _t.last_step < _STEP))
    .values(_USED)
)
_REMOVE = Prepared(delete(totps).where(_ACCOUNT).returning(_t.confirmed_at))
_SEALED = Prepared(
    select(*_COLUMNS).where(_t.id > bindparam("after", type_=_t.id.type)).order_by(_t.id).limit(bindparam("most"))
)
_OLD = bindparam("old", type_=_t.sealed_secret.type)
_REENCRYPT = Prepared(
    update(totps)
    .where(_ID, _t.sealed_secret == _OLD)
    .values(sealed_secret=bindparam("new", type_=_t.sealed_secret.type))
)


class SqlTotps:
    """Implements `Totps`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def add(self, totp: Totp, begun_before: datetime) -> None:
        which = {"of_account": totp.account_id, "of_session": totp.session_id, "begun_before": begun_before}
        await self._connection.execute(_DELETE_UNCONFIRMED, which)
        await self._connection.execute(_ADD, asdict(totp))

    async def confirmed(self, account_id: str) -> Totp | None:
        row = (await self._connection.execute(_FIND_CONFIRMED, {"of_account": account_id})).one_or_none()
        return None if row is None else _from_row(row)

    async def unconfirmed(self, account_id: str, session_id: str) -> Totp | None:
        which = {"of_account": account_id, "of_session": session_id}
        row = (await self._connection.execute(_FIND_UNCONFIRMED, which)).one_or_none()
        return None if row is None else _from_row(row)

    async def confirm(self, totp: Totp, step: int, now: datetime) -> bool:
        which = {"of_id": totp.id, "of_account": totp.account_id}
        confirmed = await self._connection.execute(_CONFIRM, which | {"of_step": step, "now": now})
        if not confirmed.rowcount:
            return False
        await self._connection.execute(_DELETE_OTHERS, which)
        return True

    async def accept(self, totp_id: str, step: int, now: datetime) -> bool:
        accepted = await self._connection.execute(_ACCEPT, {"of_id": totp_id, "of_step": step, "now": now})
        return bool(accepted.rowcount)

    async def remove(self, account_id: str) -> bool:
        removed = await self._connection.execute(_REMOVE, {"of_account": account_id})
        return any(row.confirmed_at is not None for row in removed)

    async def sealed(self, after: str, most: int) -> list[Totp]:
        rows = await self._connection.execute(_SEALED, {"after": after, "most": most})
        return [_from_row(row) for row in rows]

    async def reencrypt(self, totp_id: str, old: str, new: str) -> bool:
        changed = await self._connection.execute(_REENCRYPT, {"of_id": totp_id, "old": old, "new": new})
        return bool(changed.rowcount)


def _from_row(row: Any) -> Totp:
    return Totp(**row._asdict())
