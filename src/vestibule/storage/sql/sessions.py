"""`model.sessions.Sessions` in SQL. Every decision about a session is the WHERE of one statement.

`session_statements.py` builds each statement once, because building one costs more CPU than running it. No parameter is
named like a column: SQLAlchemy would take it for a new value of that column.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vestibule.model.accounts import Account
from vestibule.model.session_limits import SessionLimits
from vestibule.model.sessions import Device, EndedSessions, EndReason, Session
from vestibule.protocol.authentication import Method
from vestibule.storage.sql import account_rows
from vestibule.storage.sql import session_statements as statements
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.session_rows import COLUMNS, from_row, to_row

_MOST_ENDED_AT_ONCE = 10_000
"""How many sessions one statement ends at most, so that it does not time out."""


class SqlSessions:
    """Implements `Sessions`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def open(self, session: Session, epoch: int) -> int:
        row = {f"new_{name}": value for name, value in to_row(session).items()}
        condition = {"of_account": session.account_id, "in_epoch": epoch}
        opened = await self._connection.execute(statements.OPEN, row | condition)
        return int(opened.scalar_one_or_none() or 0)

    async def begin_acting(self, session: Session, epoch: int, now: datetime) -> bool:
        begun = await self.open(session, epoch) > 0
        if begun:
            noted = {"of_session": session.parent_id, "now": now}
            await self._connection.execute(statements.NOTE_ACTING, noted)
        return begun

    async def acting(self, actor_id: str | None, most: int, now: datetime) -> list[tuple[Session, Account]]:
        statement, which = statements.ACTING[actor_id is None], {"of_actor": actor_id} if actor_id else {}
        rows = await self._connection.execute(statement, {**which, "most": most, "now": now})
        return [found for row in rows if (found := _with_account(row)) is not None]

    async def end_acting(self, parent_id: str, reason: EndReason, now: datetime) -> list[Session]:
        which = {"of_parent": parent_id, "reason": reason.value, "now": now}
        rows = await self._connection.execute(statements.END_ACTING, which)
        return [session for row in rows if (session := from_row(row)) is not None]

    async def find(self, session_id: str) -> tuple[Session, Account] | None:
        return _with_account(
            (await self._connection.execute(statements.FIND, {"of_session": session_id})).one_or_none()
        )

    async def rotate(
        self, session_id: str, counter: int, limits: SessionLimits, now: datetime
    ) -> tuple[Session, Account] | None:
        moments = {"now": now, "grace_over": now - limits.refresh_grace, "idle_end": now + limits.idle}
        which = {"of_session": session_id, "presented": counter, **moments}
        if self._connection.dialect.name == "sqlite":
            changed = (await self._connection.execute(statements.ROTATE, which)).rowcount
            return await self.find(session_id) if changed else None
        return _with_account((await self._connection.execute(statements.ROTATE_AND_FIND, which)).one_or_none())

    async def step_up(
        self, session_id: str, account_id: str, methods: tuple[str, ...], limits: SessionLimits, now: datetime
    ) -> Session | None:
        which = {"of_session": session_id, "of_account": account_id, "by_methods": " ".join(methods)}
        moments = {"now": now, "idle_end": now + limits.idle}
        row = (await self._connection.execute(statements.STEP_UP, which | moments)).one_or_none()
        return None if row is None else from_row(row)

    async def drop_second_factor(self, account_id: str) -> None:
        await self._connection.execute(statements.DROP_SECOND_FACTOR, {"of_account": account_id})

    async def of_account(self, account_id: str, most: int, now: datetime) -> list[Session]:
        rows = await self._connection.execute(
            statements.OF_ACCOUNT, {"of_account": account_id, "most": most, "now": now}
        )
        return [session for row in rows if (session := from_row(row)) is not None]

    async def count_live(self, account_id: str, now: datetime) -> int:
        counted = await self._connection.execute(statements.COUNT_LIVE, {"of_account": account_id, "now": now})
        return int(counted.scalar_one())

    async def page(
        self, account_id: str, before: tuple[datetime, str], most: int, now: datetime, *, live: bool
    ) -> list[Session]:
        begun_at, session_id = before
        which = {"of_account": account_id, "moment": begun_at, "below": session_id, "most": most, "now": now}
        rows = await self._connection.execute(statements.PAGE[live], which)
        return [session for row in rows if (session := from_row(row)) is not None]

    async def past(self, account_id: str, most: int, now: datetime) -> list[Session]:
        rows = await self._connection.execute(statements.PAST, {"of_account": account_id, "most": most, "now": now})
        return [session for row in rows if (session := from_row(row)) is not None]

    async def seen_on_device(self, account_id: str, device: Device, now: datetime) -> bool:
        which = {"of_account": account_id, "by_agent": device.user_agent, "from_network": device.network_address}
        return bool((await self._connection.execute(statements.SEEN_ON_DEVICE, which | {"now": now})).scalar_one())

    async def end(self, session_id: str, account_id: str, reason: EndReason, now: datetime) -> EndedSessions:
        which = {"of_session": session_id, "of_account": account_id}
        return _ended(await self._connection.execute(statements.END_ONE, which | {"reason": reason.value, "now": now}))

    async def end_all(self, account_id: str, reason: EndReason, now: datetime) -> EndedSessions:
        which = {"of_account": account_id, "reason": reason.value, "now": now, "most": _MOST_ENDED_AT_ONCE}
        rows: list[Any] = []
        while True:
            batch = (await self._connection.execute(statements.END_ALL, which)).all()
            rows += (row for row in batch if row.end_reason == reason.value)
            if len(batch) < _MOST_ENDED_AT_ONCE:
                return _ended(rows)

    async def end_others(
        self, account_id: str, spare: str, most: int, reason: EndReason, now: datetime
    ) -> EndedSessions:
        which = {"of_account": account_id, "spare": spare, "reason": reason.value, "now": now, "most": most}
        return _ended(await self._connection.execute(statements.END_OTHERS, which))

    async def end_others_by(
        self, account_id: str, spare: str, method: Method, most: int, reason: EndReason, now: datetime
    ) -> EndedSessions:
        which = {"of_account": account_id, "spare": spare, "reason": reason.value, "now": now, "most": most}
        return _ended(await self._connection.execute(statements.END_OTHERS_BY, which | {"method": method.value}))

    async def end_longest_unseen(self, account_id: str, most: int, spare: str, now: datetime) -> EndedSessions:
        too_many = EndReason.TOO_MANY_SESSIONS.value
        which = {"of_account": account_id, "spare": spare, "reason": too_many, "most": most, "now": now}
        ended = await self._connection.execute(statements.END_LONGEST_UNSEEN, which)
        return _ended(row for row in ended if row.end_reason == too_many)

    async def purge_past(self, account_id: str, now: datetime, most: int) -> int:
        gone = await self._connection.execute(
            statements.PURGE_PAST, {"of_account": account_id, "now": now, "most": most}
        )
        return len(gone.all())

    async def purge(self, before: datetime, most: int) -> int:
        return (await self._connection.execute(statements.PURGE, {"before": before, "most": most})).rowcount


def _ended(rows: Iterable[Any]) -> EndedSessions:
    """Return the sessions that the rows name. `acted_at` is judged here: `IS NOT NULL` in a RETURNING of an UPDATE is
    always true on SQLite 3.40.
    """
    found = list(rows)
    ended = EndedSessions({row.id: row.last_seen_at for row in found})
    ended.acted = tuple(row.id for row in found if row.acted_at is not None)
    return ended


def _with_account(row: Any) -> tuple[Session, Account] | None:
    """Return the session and its account; None without a row, or if it is malformed."""
    if row is None:
        return None
    session, account = from_row(row[: len(COLUMNS)]), account_rows.from_row(row[len(COLUMNS) :])
    return None if session is None or account is None else (session, account)
