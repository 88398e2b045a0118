"""`model.store.Revocations` and `model.store.Events` in SQL: two tables that only grow."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Table, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.events import Event, EventFilter, EventKind
from vestibule.model.revocations import Range, Reach, Revocation, RevocationKind
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.batches import delete_oldest
from vestibule.storage.sql.during_request import with_request_id
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.schema import Instant, accounts, events, revocations

_REVOCATION_MEMBERS = ("at", "kind", "subject", "purge_at", "not_before")
_r = revocations.c
_APPEND = insert(revocations).returning(_r.sequence, _r.kind, _r.subject)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# What SQLite was given in place of a moment comes before all moments, or after; nobody knows whether that is over.
_STANDS = or_(_r.purge_at > bindparam("since", type_=Instant), _r.purge_at < _LONG_AGO)
_WITHIN = or_(_r.sequence > bindparam("begins_after"), _STANDS)
_FIRST_AND_LAST = select(
    select(func.min(_r.sequence)).where(_STANDS, _r.at <= bindparam("latest", type_=Instant)).scalar_subquery(),
    select(func.max(_r.sequence)).scalar_subquery(),
)
_AFTER = (
    select(_r.at, _r.kind, _r.subject, _r.purge_at, _r.not_before, _r.sequence)
    .where(_r.sequence > bindparam("known"), _WITHIN)
    .order_by(_r.sequence)
    .limit(bindparam("most"))
)
_BETWEEN = select(func.count(), func.coalesce(func.sum(_r.sequence), 0)).where(
    _r.sequence > bindparam("known"), _r.sequence <= bindparam("up_to"), _WITHIN
)
_e = events.c
# Of nobody, where the account was deleted meanwhile: this waits for who deletes it, and nothing can refer to it then.
_WHOSE = select(accounts.c.id).where(accounts.c.id == bindparam("of_account", type_=_e.account_id.type))
_RECORD = insert(events).values(
    **{c.name: bindparam(f"new_{c.name}", type_=c.type) for c in _e if c.name not in {"sequence", "account_id"}},
    account_id=_WHOSE.with_for_update(read=True, key_share=True).scalar_subquery(),
)
_OF_ACCOUNT = (
    select(_e.at, _e.kind, _e.account_id, _e.session_id, _e.network_address, _e.detail)
    .where(_e.account_id == bindparam("of_account"))
    .order_by(_e.at.desc(), _e.sequence.desc())
    .limit(bindparam("most"))
)
_EARLIER = and_(
    _e.at <= bindparam("moment", type_=Instant),
    or_(_e.at < bindparam("moment", type_=Instant), _e.sequence < bindparam("below")),
)
_PAGE = (
    select(_e.at, _e.kind, _e.account_id, _e.session_id, _e.network_address, _e.detail, _e.sequence)
    .where(_e.account_id == bindparam("of_account"), _EARLIER)
    .order_by(_e.at.desc(), _e.sequence.desc())
    .limit(bindparam("most"))
)
_EVENT_READER = odd_rows.Reader((_e.at, _e.kind, _e.account_id, _e.session_id, _e.network_address))
_REVOCATION_READER = odd_rows.Reader((_r.at, _r.kind, _r.subject, _r.purge_at, _r.not_before, _r.sequence))
_ODD_ONES_MATTER = timedelta(days=1)  # longer than any token lives
_NO_TIME = datetime(9000, 1, 1, tzinfo=UTC)
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

    async def reach(self, since: datetime, latest: datetime) -> Reach:
        found = await self._connection.execute(_FIRST_AND_LAST, {"since": since, "latest": latest})
        first, last = found.one()
        return Reach(int(first) - 1 if first is not None else int(last or 0), since)

    async def after(self, sequence: int, reach: Reach, most: int) -> list[Revocation]:
        which = {"known": sequence, "begins_after": reach.begins_after, "since": reach.since, "most": most}
        rows = await self._connection.execute(_AFTER, which)
        return [revocation for row in rows for revocation in _revocations(row)]

    async def between(self, after: int, up_to: int, reach: Reach) -> Range:
        which = {"known": after, "up_to": up_to, "begins_after": reach.begins_after, "since": reach.since}
        found = await self._connection.execute(_BETWEEN, which)
        return Range(*map(int, found.one()))

    async def purge(self, now: datetime, most: int) -> int:
        over, older = revocations.c.purge_at < now, _not_the_newest(revocations)
        gone = await delete_oldest(self._connection, revocations, and_(over, older), revocations.c.purge_at, most)
        # Its number is kept, and not whom it was about: that may be somebody who was deleted.
        nobody = update(revocations).where(over, ~older, revocations.c.subject != "").values(subject="")
        await self._connection.execute(nobody)
        return gone


class SqlEvents:
    """What happened."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._recorded: list[Event] = []

    async def record(self, *events: Event) -> None:
        if events:
            events = tuple(replace(event, detail=with_request_id(event.detail)) for event in events)
            await self._connection.execute(_RECORD, [_to_values(event) for event in events])
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
        found = [(row.sequence, _from_row(row)) for row in reversed(rows.all())]
        return [(sequence, event) for sequence, event in found if event is not None]

    async def purge(self, before: datetime, most: int) -> int:
        over = and_(events.c.at < before, _not_the_newest(events))
        return await delete_oldest(self._connection, events, over, events.c.at, most)

    async def detach(self, account_id: str, most: int) -> int:
        nobody = {"account_id": None, "session_id": None, "network_address": None, "detail": "{}"}
        # Chosen in a WITH, since PostgreSQL may ask a sub-select in IN more than once.
        some = select(_e.sequence).where(_e.account_id == account_id).limit(most).cte("some")
        its = update(events).where(_e.sequence.in_(select(some.c.sequence))).values(nobody)
        return len((await self._connection.execute(its.returning(_e.sequence))).all())

    async def of_account(self, account_id: str, most: int) -> list[Event]:
        rows = await self._connection.execute(_OF_ACCOUNT, {"of_account": account_id, "most": most})
        return [event for row in rows if (event := _from_row(row)) is not None]

    async def page(self, account_id: str, before: tuple[datetime, int], most: int) -> list[tuple[int, Event]]:
        which = {"of_account": account_id, "moment": before[0], "below": before[1], "most": most}
        rows = await self._connection.execute(_PAGE, which)
        return [(row.sequence, event) for row in rows if (event := _from_row(row)) is not None]

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


def _to_values(event: Event) -> dict[str, Any]:
    row = _to_row(event)
    return {"of_account": row.pop("account_id"), **{f"new_{name}": value for name, value in row.items()}}


def _to_row(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "kind": event.kind.value,
        "account_id": event.account_id,
        "session_id": event.session_id,
        "network_address": event.network_address,
        "detail": json.dumps(event.detail),
    }


def _from_row(row: Any) -> Event | None:
    """The event; None for a row that is none. One whose detail cannot be read has none."""
    try:
        members = _EVENT_READER.members([row.at, row.kind, row.account_id, row.session_id, row.network_address])
        kind = odd_rows.word(EventKind, members["kind"], "kind")
    except OddRow as why:
        odd_rows.left_out(events.name, getattr(row, "sequence", row.account_id), why)
        return None
    try:
        detail = odd_rows.texts(row.detail)
    except OddRow:
        detail = {}
    return Event(**{**members, "kind": kind, "detail": detail})


def _revocations(row: Any) -> Iterator[Revocation]:
    """What a row revokes. One that is odd may be of a later version, and nobody knows what it ended: so it ends what
    it may be about, the session and the account, for what was issued until now.
    """
    try:
        members = _REVOCATION_READER.members(row)
        kind = odd_rows.word(RevocationKind, members["kind"], "kind")
        _require_since(kind, members["not_before"])
        yield Revocation(**{**members, "kind": kind})
    except OddRow as why:
        odd_rows.left_out(revocations.name, row.sequence, why)
        yield from _all_it_may_be(row)


def _require_since(kind: RevocationKind, not_before: datetime | None) -> None:
    if kind is RevocationKind.ACCOUNT and not_before is None:
        raise OddRow("not_before")


def _all_it_may_be(row: Any) -> Iterator[Revocation]:
    moments = [moment for moment in (row.not_before, row.at) if isinstance(moment, datetime)]
    before = max(moments, default=_NO_TIME)
    for kind in (RevocationKind.SESSION, RevocationKind.ACCOUNT):
        yield Revocation(before, kind, str(row.subject), before + _ODD_ONES_MATTER, before, row.sequence)
