"""`model.endings.Endings` in SQL: one statement on PostgreSQL. SQLite allows no INSERT or UPDATE within another
statement, so there the ports of sessions, events and revocations write one after the other.
"""

from typing import Any

from sqlalchemy import ColumnElement, Double, bindparam, exists, func, insert, literal, literal_column, select

from vestibule.model.endings import Ending
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.storage.sql.account_statements import LOCKING
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.events import NEW, SqlEvents, event_with_request_id, to_values
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.revocations import SqlRevocations
from vestibule.storage.sql.schema import events, revocations
from vestibule.storage.sql.session_statements import END_ALONE, ENDING_ALONE

_r = revocations.c
_AT = bindparam("now", type_=Instant)
# Each part reads from the one before it, and so runs after it: the account is locked before its session
# (docs/decisions/0025-two-at-once.md). All parts see the database as it was before the wait for the lock. But an UPDATE
# reads again a row that was changed meanwhile, so a session that ended during the wait is not ended twice.
_LOCKED = LOCKING.cte("locked")
_ENDED = ENDING_ALONE.where(exists(select(_LOCKED.c.id))).cte("ended")
_RECORDED = (
    insert(events)
    .from_select(
        [*NEW, "account_id"],
        select(*NEW.values(), bindparam("of_account", type_=events.c.account_id.type)).select_from(_ENDED),
    )
    .cte("recorded")
)
# How long a revocation is kept. In seconds: a day added to a timestamptz has 23 or 25 hours when the clocks change.
_MEMORY: ColumnElement[Any] = literal_column("interval '1 second'") * bindparam("memory", type_=Double)
_PURGE_AT = func.greatest(_ENDED.c.last_seen_at, _AT) + _MEMORY
_END = Prepared(
    insert(revocations)
    .from_select(
        [_r.at, _r.kind, _r.subject, _r.purge_at],
        select(_AT, literal(RevocationKind.SESSION.value, _r.kind.type), _ENDED.c.id, _PURGE_AT),
    )
    .returning(_r.at, _r.kind, _r.subject, _r.purge_at, _r.sequence)
    .add_cte(_RECORDED)
)


class SqlEndings:
    """Implements `Endings`."""

    def __init__(self, connection: DriverConnection, events: SqlEvents, revocations: SqlRevocations) -> None:
        self._connection = connection
        self._events = events
        self._revocations = revocations

    async def end(self, session_id: str, ending: Ending) -> list[Revocation]:
        if self._connection.dialect.name == "sqlite":
            return await self._one_after_the_other(session_id, ending)
        event = event_with_request_id(ending.event(session_id))
        which = {"of_session": session_id, "of_account": ending.account_id, "reason": ending.reason.value}
        moments = {"now": ending.at, "memory": ending.memory.total_seconds()}
        ended = (await self._connection.execute(_END, {**to_values(event), **which, **moments})).all()
        if ended:
            self._events.note(event)
        return [
            Revocation(row.at, RevocationKind(row.kind), row.subject, row.purge_at, sequence=row.sequence)
            for row in ended
        ]

    async def _one_after_the_other(self, session_id: str, ending: Ending) -> list[Revocation]:
        """End the session without locking its account: SQLite runs one transaction at a time."""
        which = {"of_session": session_id, "of_account": ending.account_id, "reason": ending.reason.value}
        ended = (await self._connection.execute(END_ALONE, which | {"now": ending.at})).all()
        await self._events.record(*(ending.event(row.id) for row in ended))
        return await self._revocations.append([ending.revocation(row.id, row.last_seen_at) for row in ended])
