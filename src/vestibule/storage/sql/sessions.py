"""`model.sessions.Sessions` in SQL. Every decision about a session is the WHERE of one statement.

The statements stand ready-made: putting one together costs more CPU than running it. Parameters have names of their
own, since SQLAlchemy takes one that is named like a column for a value to be set.
"""

from datetime import datetime

from sqlalchemy import and_, bindparam, case, delete, exists, func, insert, literal, not_, or_, select, update

from vestibule.model.accounts import Account
from vestibule.model.sessions import (
    MAX_LIVE_SUCCESSORS,
    MOST_COUNTED,
    Device,
    EndReason,
    Issued,
    Session,
    SessionLimits,
)
from vestibule.storage.sql import account_rows
from vestibule.storage.sql.batches import delete_oldest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, sessions
from vestibule.storage.sql.session_rows import COLUMNS, from_row, to_row

_s = sessions.c
_SESSION = _s.id == bindparam("of_session")
_ACCOUNT = _s.account_id == bindparam("of_account")
_LIVE = and_(_s.ended_at.is_(None), _s.idle_expires_at > bindparam("now", type_=Instant))

_BATCH = 10_000
"""Sessions ended by one statement: far less than the seconds that a statement may take."""

_others = sessions.alias()
_NOT_ENDED = (
    select(func.count())
    .select_from(
        select(_others.c.id)
        .where(
            _others.c.account_id == bindparam("of_account"),
            _others.c.ended_at.is_(None),
            _others.c.id != bindparam("new_id"),
        )
        .limit(MOST_COUNTED)
        .subquery()
    )
    .scalar_subquery()
)

# FOR SHARE: a change of credential waits for this transaction, or this waits for it and finds a new epoch.
# SQLite leaves the clause out; there, one transaction runs at a time.
_OPEN = Prepared(
    insert(sessions)
    .from_select(
        [c.name for c in COLUMNS],
        select(*(bindparam(f"new_{c.name}", type_=c.type).label(c.name) for c in COLUMNS))
        .select_from(accounts)
        .where(
            accounts.c.id == bindparam("of_account"),
            accounts.c.epoch == bindparam("in_epoch"),
            accounts.c.disabled_at.is_(None),
        )
        .with_for_update(read=True),
    )
    .returning(_NOT_ENDED + 1)
)

_FIND = Prepared(
    select(*COLUMNS, *account_rows.COLUMNS).join(accounts, accounts.c.id == sessions.c.account_id).where(_SESSION)
)

_PRESENTED = bindparam("presented", type_=_s.current.type)
_IDLE_END = bindparam("idle_end", type_=Instant)
_NOW = bindparam("now", type_=Instant)
_FRESH = and_(_s.base < _PRESENTED, _s.current >= _PRESENTED)
_ANSWER_LOST = and_(
    _s.parent == _PRESENTED,
    _s.issued_at < bindparam("grace_over", type_=Instant),
    _s.current - _s.base < MAX_LIVE_SUCCESSORS,
)
_ROTATE = Prepared(
    update(sessions)
    .where(_SESSION, _LIVE, or_(_FRESH, _ANSWER_LOST))
    .values(
        parent=_PRESENTED,
        base=case((_FRESH, _s.current), else_=_s.base),
        current=_s.current + 1,
        issued_at=_NOW,
        # Never back: by it, what ends the session knows how long a token of it may live that was made by a clock ahead.
        last_seen_at=case((_s.last_seen_at > _NOW, _s.last_seen_at), else_=_NOW),
        idle_expires_at=case((_s.expires_at < _IDLE_END, _s.expires_at), else_=_IDLE_END),
    )
)

_OF_ACCOUNT = Prepared(
    select(*COLUMNS).where(_ACCOUNT, _LIVE).order_by(_s.last_seen_at.desc(), _s.id).limit(bindparam("most"))
)
_COUNT_LIVE = Prepared(
    select(func.count()).select_from(select(_s.id).where(_ACCOUNT, _LIVE).limit(MOST_COUNTED).subquery())
)
# By when they began, which never changes: a refresh between two pages moves no session to another.
_EARLIER = and_(
    _s.created_at <= bindparam("moment", type_=Instant),
    or_(_s.created_at < bindparam("moment", type_=Instant), _s.id < bindparam("below")),
)
_PAGE = {
    live: Prepared(
        select(*COLUMNS)
        .where(_ACCOUNT, _LIVE if live else not_(_LIVE), _EARLIER)
        .order_by(_s.created_at.desc(), _s.id.desc())
        .limit(bindparam("most"))
    )
    for live in (True, False)
}
_PAST = Prepared(
    select(*COLUMNS).where(_ACCOUNT, not_(_LIVE)).order_by(_s.last_seen_at.desc(), _s.id).limit(bindparam("most"))
)
_HAD = Prepared(
    select(
        exists().where(
            _ACCOUNT,
            _s.user_agent == bindparam("by_agent"),
            _s.network_address == bindparam("from_network"),
            _s.created_at < _NOW,
        )
    )
)
_END = {"ended_at": _NOW, "end_reason": bindparam("reason")}
_END_ONE = Prepared(update(sessions).where(_SESSION, _ACCOUNT, _LIVE).values(_END).returning(_s.id, _s.last_seen_at))
# Chosen in a WITH, since PostgreSQL may ask a sub-select in IN more than once.
_SOME = (
    select(_s.id)
    .where(_ACCOUNT, _LIVE, _s.id != bindparam("spare"))
    .limit(bindparam("most"))
    .with_for_update()
    .cte("live")
)
_END_SOME = Prepared(
    update(sessions).where(_s.id.in_(select(_SOME.c.id))).values(_END).returning(_s.id, _s.last_seen_at)
)
_OVER = select(_s.id).where(_ACCOUNT, not_(_LIVE)).limit(bindparam("most")).cte("over")
_PURGE_PAST = Prepared(delete(sessions).where(_s.id.in_(select(_OVER.c.id))).returning(_s.id))
_UNSEEN = (
    select(_s.id)
    .where(_ACCOUNT, _s.ended_at.is_(None), _s.id != bindparam("spare"))
    .order_by(_s.last_seen_at, _s.id)
    .limit(bindparam("most"))
    # One that another sign-in is ending, or that is being refreshed just now, is not waited for.
    .with_for_update(skip_locked=True)
    .cte("unseen")
)
_OVER_BY_AGE = _s.idle_expires_at <= _NOW
_END_OR_KEEP_REASON = {
    "ended_at": case((_OVER_BY_AGE, _s.idle_expires_at), else_=_NOW),
    "end_reason": case(
        (_s.expires_at <= _NOW, literal(EndReason.EXPIRED.value)),
        (_OVER_BY_AGE, literal(EndReason.IDLE.value)),
        else_=bindparam("reason", type_=_s.end_reason.type),
    ),
}
_END_UNSEEN = Prepared(
    update(sessions)
    .where(_s.id.in_(select(_UNSEEN.c.id)))
    .values(_END_OR_KEEP_REASON)
    .returning(_s.id, _s.end_reason, _s.last_seen_at)
)
# Those that are over by their age too: by a clock that is ahead, so are some that live.
_EVERY = select(_s.id).where(_ACCOUNT, _s.ended_at.is_(None)).limit(bindparam("most")).with_for_update().cte("every")
_END_EVERY = Prepared(
    update(sessions)
    .where(_s.id.in_(select(_EVERY.c.id)))
    .values(_END_OR_KEEP_REASON)
    .returning(_s.id, _s.end_reason, _s.last_seen_at)
)


class SqlSessions:
    """Implements `Sessions`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def open(self, session: Session, epoch: int) -> int:
        row = {f"new_{name}": value for name, value in to_row(session).items()}
        condition = {"of_account": session.account_id, "in_epoch": epoch}
        opened = await self._connection.execute(_OPEN, row | condition)
        return int(opened.scalar_one_or_none() or 0)

    async def find(self, session_id: str) -> tuple[Session, Account] | None:
        row = (await self._connection.execute(_FIND, {"of_session": session_id})).one_or_none()
        if row is None:
            return None
        session, account = from_row(row[: len(COLUMNS)]), account_rows.from_row(row[len(COLUMNS) :])
        return None if session is None or account is None else (session, account)

    async def rotate(self, session_id: str, counter: int, limits: SessionLimits, now: datetime) -> bool:
        moments = {"now": now, "grace_over": now - limits.refresh_grace, "idle_end": now + limits.idle}
        done = await self._connection.execute(_ROTATE, {"of_session": session_id, "presented": counter} | moments)
        return bool(done.rowcount)

    async def of_account(self, account_id: str, most: int, now: datetime) -> list[Session]:
        rows = await self._connection.execute(_OF_ACCOUNT, {"of_account": account_id, "most": most, "now": now})
        return [session for row in rows if (session := from_row(row)) is not None]

    async def count_live(self, account_id: str, now: datetime) -> int:
        counted = await self._connection.execute(_COUNT_LIVE, {"of_account": account_id, "now": now})
        return int(counted.scalar_one())

    async def page(
        self, account_id: str, before: tuple[datetime, str], most: int, now: datetime, *, live: bool
    ) -> list[Session]:
        which = {"of_account": account_id, "moment": before[0], "below": before[1], "most": most, "now": now}
        rows = await self._connection.execute(_PAGE[live], which)
        return [session for row in rows if (session := from_row(row)) is not None]

    async def past(self, account_id: str, most: int, now: datetime) -> list[Session]:
        rows = await self._connection.execute(_PAST, {"of_account": account_id, "most": most, "now": now})
        return [session for row in rows if (session := from_row(row)) is not None]

    async def had(self, account_id: str, device: Device, now: datetime) -> bool:
        which = {"of_account": account_id, "by_agent": device.user_agent, "from_network": device.network_address}
        return bool((await self._connection.execute(_HAD, which | {"now": now})).scalar_one())

    async def end(self, session_id: str, account_id: str, reason: EndReason, now: datetime) -> Issued:
        which = {"of_session": session_id, "of_account": account_id}
        ended = await self._connection.execute(_END_ONE, which | {"reason": reason.value, "now": now})
        return {row.id: row.last_seen_at for row in ended}

    async def end_all(self, account_id: str, reason: EndReason, now: datetime) -> Issued:
        which = {"of_account": account_id, "reason": reason.value, "now": now, "most": _BATCH}
        ended: Issued = {}
        while True:
            batch = (await self._connection.execute(_END_EVERY, which)).all()
            ended |= {row.id: row.last_seen_at for row in batch if row.end_reason == reason.value}
            if len(batch) < _BATCH:
                return ended

    async def end_others(self, account_id: str, spare: str, most: int, reason: EndReason, now: datetime) -> Issued:
        which = {"of_account": account_id, "spare": spare, "reason": reason.value, "now": now, "most": most}
        return {row.id: row.last_seen_at for row in await self._connection.execute(_END_SOME, which)}

    async def end_longest_unseen(self, account_id: str, most: int, spare: str, now: datetime) -> Issued:
        too_many = EndReason.TOO_MANY_SESSIONS.value
        which = {"of_account": account_id, "spare": spare, "reason": too_many, "most": most, "now": now}
        ended = await self._connection.execute(_END_UNSEEN, which)
        return {row.id: row.last_seen_at for row in ended if row.end_reason == too_many}

    async def purge_past(self, account_id: str, now: datetime, most: int) -> int:
        gone = await self._connection.execute(_PURGE_PAST, {"of_account": account_id, "now": now, "most": most})
        return len(gone.all())

    async def purge(self, before: datetime, most: int) -> int:
        return await delete_oldest(self._connection, sessions, _s.expires_at < before, _s.expires_at, most)
