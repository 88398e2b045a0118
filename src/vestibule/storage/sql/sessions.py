"""`model.store.Sessions` in SQL. Every decision about a session is the WHERE of one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, insert, literal, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.accounts import Account
from vestibule.model.sessions import MAX_LIVE_SUCCESSORS, Device, EndReason, Session, SessionLimits
from vestibule.storage.sql import accounts as accounts_in_sql
from vestibule.storage.sql.schema import accounts, sessions

_COLUMNS = tuple(sessions.c)


class SqlSessions:
    """Who is signed in where."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(self, session: Session, epoch: int) -> bool:
        row = _to_row(session)
        # FOR SHARE: a change of credential waits for this transaction, or this waits for it and finds a new epoch.
        # SQLite leaves the clause out; there, one transaction runs at a time.
        allowed = (
            select(*(literal(row[c.name], c.type).label(c.name) for c in _COLUMNS))
            .select_from(accounts)
            .where(accounts.c.id == session.account_id, accounts.c.epoch == epoch, accounts.c.disabled_at.is_(None))
            .with_for_update(read=True)
        )
        done = await self._connection.execute(insert(sessions).from_select([c.name for c in _COLUMNS], allowed))
        return bool(done.rowcount)

    async def find(self, session_id: str) -> tuple[Session, Account] | None:
        query = (
            select(*_COLUMNS, *accounts_in_sql.COLUMNS)
            .join(accounts, accounts.c.id == sessions.c.account_id)
            .where(sessions.c.id == session_id)
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return _from_row(row[: len(_COLUMNS)]), accounts_in_sql.from_row(row[len(_COLUMNS) :])

    async def rotate(self, session_id: str, counter: int, limits: SessionLimits, now: datetime) -> bool:
        s = sessions.c
        fresh = and_(s.base < counter, s.current >= counter)
        answer_lost = and_(
            s.parent == counter,
            s.issued_at < now - limits.refresh_grace,
            s.current - s.base < MAX_LIVE_SUCCESSORS,
        )
        idle_end = now + limits.idle
        done = await self._connection.execute(
            update(sessions)
            .where(s.id == session_id, *_live(now), or_(fresh, answer_lost))
            .values(
                parent=counter,
                base=case((fresh, s.current), else_=s.base),
                current=s.current + 1,
                issued_at=now,
                last_seen_at=now,
                idle_expires_at=case((s.expires_at < idle_end, s.expires_at), else_=idle_end),
            )
        )
        return bool(done.rowcount)

    async def of_account(self, account_id: str, now: datetime) -> list[Session]:
        rows = await self._connection.execute(
            select(*_COLUMNS)
            .where(sessions.c.account_id == account_id, *_live(now))
            .order_by(sessions.c.last_seen_at.desc(), sessions.c.id)
        )
        return [_from_row(row) for row in rows]

    async def end(self, session_id: str, account_id: str, reason: EndReason, now: datetime) -> bool:
        return bool(await self._end(account_id, sessions.c.id == session_id, reason, now))

    async def end_all(self, account_id: str, reason: EndReason, now: datetime, spare: str | None = None) -> list[str]:
        which = true() if spare is None else sessions.c.id != spare
        return await self._end(account_id, which, reason, now)

    async def _end(self, account_id: str, which: ColumnElement[bool], reason: EndReason, now: datetime) -> list[str]:
        ended = await self._connection.execute(
            update(sessions)
            .where(sessions.c.account_id == account_id, which, *_live(now))
            .values(ended_at=now, end_reason=reason.value)
            .returning(sessions.c.id)
        )
        return list(ended.scalars())


def _live(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return sessions.c.ended_at.is_(None), sessions.c.idle_expires_at > now


def _from_row(row: Sequence[Any]) -> Session:
    members = {column.name: value for column, value in zip(_COLUMNS, row, strict=True)}
    device = Device(members.pop("user_agent"), members.pop("network_address"))
    reason = members.pop("end_reason")
    return Session(**members, device=device, end_reason=EndReason(reason) if reason else None)


def _to_row(session: Session) -> dict[str, Any]:
    row = {c.name: getattr(session, c.name) for c in _COLUMNS if c.name not in {"user_agent", "network_address"}}
    return row | {"user_agent": session.device.user_agent, "network_address": session.device.network_address}
