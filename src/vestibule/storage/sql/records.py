"""`model.store.Revocations` and `model.store.Events` in SQL: two tables that only grow."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.contextvars import get_contextvars

from vestibule.model.events import REQUEST_ID, Event, EventFilter, EventKind
from vestibule.model.revocations import Revocation, RevocationKind, Stretch
from vestibule.storage.sql.batches import delete_oldest
from vestibule.storage.sql.schema import events, revocations

_REVOCATION_MEMBERS = ("at", "kind", "subject", "forget_at", "not_before")
_r = revocations.c
_APPEND = insert(revocations).returning(_r.sequence, _r.kind, _r.subject)
_AFTER = (
    select(_r.at, _r.kind, _r.subject, _r.forget_at, _r.not_before, _r.sequence)
    .where(_r.sequence > bindparam("known"))
    .order_by(_r.sequence)
)
_BETWEEN = select(func.count(), func.coalesce(func.sum(_r.sequence), 0)).where(
    _r.sequence > bindparam("known"), _r.sequence <= bindparam("up_to")
)
_RECORD = insert(events)
_e = events.c
_OF_ACCOUNT = (
    select(_e.at, _e.kind, _e.account_id, _e.session_id, _e.network_address, _e.detail)
    .where(_e.account_id == bindparam("of_account"))
    .order_by(_e.at.desc(), _e.sequence.desc())
    .limit(bindparam("most"))
)
_TOLD = ("account_id", "session_id", "network_address")
_log = structlog.get_logger(__name__)


class SqlRevocations:
    """What ended before its tokens did."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, batch: Sequence[Revocation]) -> list[Revocation]:
        if not batch:
            return []
        rows = [{name: getattr(revocation, name) for name in _REVOCATION_MEMBERS} for revocation in batch]
        # SQLAlchemy writes any number of rows in statements that have no more values than the database takes.
        added = await self._connection.execute(_APPEND, rows)
        numbers = {(row.kind, row.subject): row.sequence for row in added}
        return [replace(one, sequence=numbers[one.kind.value, one.subject]) for one in batch]

    async def after(self, sequence: int) -> list[Revocation]:
        rows = await self._connection.execute(_AFTER, {"known": sequence})
        return [Revocation(at, RevocationKind(kind), *rest) for at, kind, *rest in rows]

    async def between(self, after: int, up_to: int) -> Stretch:
        found = await self._connection.execute(_BETWEEN, {"known": after, "up_to": up_to})
        return Stretch(*map(int, found.one()))

    async def forget(self, now: datetime) -> int:
        over = revocations.c.forget_at < now
        gone = await self._connection.execute(delete(revocations).where(over, _not_the_newest(revocations)))
        # Its number is kept, and not whom it was about: that may be somebody who was deleted.
        nobody = update(revocations).where(over, revocations.c.subject != "").values(subject="")
        await self._connection.execute(nobody)
        return gone.rowcount


class SqlEvents:
    """What happened."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._recorded: list[Event] = []

    async def record(self, *events: Event) -> None:
        if events:
            events = tuple(_during_this_request(event) for event in events)
            await self._connection.execute(_RECORD, [_to_row(event) for event in events])
            self._recorded += events

    async def find(self, wanted: EventFilter, most: int) -> list[tuple[int, Event]]:
        e = events.c
        fits = [e.sequence > wanted.after]
        if wanted.account_id is not None:
            fits.append(e.account_id == wanted.account_id)
        if wanted.network_address is not None:
            fits.append(e.network_address == wanted.network_address)
        if wanted.kinds:
            fits.append(e.kind.in_([kind.value for kind in wanted.kinds]))
        if wanted.since is not None:
            fits.append(e.at >= wanted.since)
        rows = await self._connection.execute(select(events).where(*fits).order_by(e.sequence.desc()).limit(most))
        return [(row.sequence, _from_row(row)) for row in reversed(rows.all())]

    async def forget(self, before: datetime, most: int) -> int:
        over = and_(events.c.at < before, _not_the_newest(events))
        return await delete_oldest(self._connection, events, over, events.c.at, most)

    async def detach(self, account_id: str) -> None:
        nobody = {"account_id": None, "session_id": None, "network_address": None, "detail": "{}"}
        await self._connection.execute(update(events).where(events.c.account_id == account_id).values(nobody))

    async def of_account(self, account_id: str, most: int) -> list[Event]:
        rows = await self._connection.execute(_OF_ACCOUNT, {"of_account": account_id, "most": most})
        return [Event(row.at, EventKind(row.kind), *row[2:5], json.loads(row.detail)) for row in rows]

    def tell(self) -> Sequence[Event]:
        """Write what was recorded to the log; what that is. For after the commit: a line must not speak of what never
        came to be.
        """
        for event in self._recorded:
            members = {name: value for name, value in _to_row(event).items() if name in _TOLD and value is not None}
            _log.info(event.kind.value, **members, **event.detail)
        return self._recorded


def _not_the_newest(table: Table) -> ColumnElement[bool]:
    """SQLite numbers the next row after the newest one that is there. Were that deleted, numbers would begin anew, and
    whoever has read beyond them would never see what is written next.
    """
    newest = table.alias()
    return table.c.sequence < select(func.max(newest.c.sequence)).scalar_subquery()


def _during_this_request(event: Event) -> Event:
    """With the id of the request, if it happens during one."""
    identifier = get_contextvars().get(REQUEST_ID)
    return replace(event, detail={**event.detail, REQUEST_ID: identifier}) if identifier else event


def _to_row(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "kind": event.kind.value,
        "account_id": event.account_id,
        "session_id": event.session_id,
        "network_address": event.network_address,
        "detail": json.dumps(event.detail),
    }


def _from_row(row: Any) -> Event:
    return Event(
        row.at,
        EventKind(row.kind),
        row.account_id,
        row.session_id,
        row.network_address,
        json.loads(row.detail),
    )
