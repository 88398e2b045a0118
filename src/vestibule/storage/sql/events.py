"""`model.events.Events` in SQL."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Row, and_, bindparam, insert, or_, select, update

from vestibule.model.events import Event, EventFilter, EventKind
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.batches import deletion_of_oldest, not_the_newest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.request_ids import with_request_id
from vestibule.storage.sql.schema import accounts, events

_e = events.c
# The account, or NULL if it was deleted meanwhile. FOR KEY SHARE waits for a transaction that is deleting it.
_ACCOUNT_IF_THERE = (
    select(accounts.c.id)
    .where(accounts.c.id == bindparam("of_account", type_=_e.account_id.type))
    .with_for_update(read=True, key_share=True)
)
NEW = {c.name: bindparam(f"new_{c.name}", type_=c.type) for c in _e if c.name not in {"sequence", "account_id"}}
"""The parameters of a new event, by column."""
_RECORD = Prepared(insert(events).values(**NEW, account_id=_ACCOUNT_IF_THERE.scalar_subquery()))
READ = (_e.at, _e.kind, _e.account_id, _e.session_id, _e.network_address, _e.detail, _e.actor_id)
"""The columns that an event is read from."""
_LATEST_OF_ACCOUNT = Prepared(
    select(*READ)
    .where(_e.account_id == bindparam("of_account"))
    .order_by(_e.at.desc(), _e.sequence.desc())
    .limit(bindparam("most"))
)
EARLIER = and_(
    _e.at <= bindparam("moment", type_=Instant),
    or_(_e.at < bindparam("moment", type_=Instant), _e.sequence < bindparam("below")),
)
"""The events of a page: those before the one at `moment` with the number `below`."""
_PAGE_OF_ACCOUNT = Prepared(
    select(*READ, _e.sequence)
    .where(_e.account_id == bindparam("of_account"), EARLIER)
    .order_by(_e.at.desc(), _e.sequence.desc())
    .limit(bindparam("most"))
)
_ANONYMOUS = {"account_id": None, "session_id": None, "network_address": None, "detail": "{}"}
# Chosen in a WITH, because PostgreSQL may evaluate a sub-select in IN more than once.
_SOME_OF_ACCOUNT = (
    select(_e.sequence).where(_e.account_id == bindparam("of_account")).limit(bindparam("most")).cte("some")
)
_DETACH = Prepared(
    update(events).where(_e.sequence.in_(select(_SOME_OF_ACCOUNT.c.sequence))).values(_ANONYMOUS).returning(_e.sequence)
)
_PURGE = deletion_of_oldest(events, and_(_e.at < bindparam("before", type_=Instant), not_the_newest(events)), _e.at)
_CHECKED = tuple(column for column in READ if column is not _e.detail)
_EVENT_READER = odd_rows.Reader(_CHECKED)
_LOGGED = ("account_id", "session_id", "network_address", "actor_id")
_log = structlog.get_logger(__name__)


class SqlEvents:
    """Implements `Events`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection
        self._recorded: list[Event] = []

    async def record(self, *events: Event) -> None:
        if events:
            events = tuple(event_with_request_id(event) for event in events)
            await self._connection.execute(_RECORD, [to_values(event) for event in events])
            self.note(*events)

    def note(self, *events: Event) -> None:
        """Remember recorded events, for `log_recorded`. `endings.py` calls this for events that it records itself."""
        self._recorded += events

    async def find(self, wanted: EventFilter, most: int) -> list[tuple[int, Event]]:
        rows = await self._matching(wanted, most)
        found = _readable(rows)
        while wanted.after is not None and rows and not found:  # a later version wrote these: go on after them
            wanted = replace(wanted, after=rows[-1].sequence)
            rows = await self._matching(wanted, most)
            found = _readable(rows)
        return found

    async def _matching(self, wanted: EventFilter, most: int) -> list[Row[Any]]:
        # Not prepared: only operators call this, and seldom.
        matches = [_e.sequence > (wanted.after or 0)]
        if wanted.account_id is not None:
            matches.append(_e.account_id == wanted.account_id)
        if wanted.network_address is not None:
            matches.append(_e.network_address == wanted.network_address)
        if wanted.kinds:
            matches.append(_e.kind.in_([kind.value for kind in wanted.kinds]))
        if wanted.since is not None:
            matches.append(_e.at >= wanted.since)
        onward = wanted.after is not None
        order = _e.sequence if onward else _e.sequence.desc()
        rows = (await self._connection.execute(select(events).where(*matches).order_by(order).limit(most))).all()
        return list(rows if onward else reversed(rows))

    async def purge(self, before: datetime, most: int) -> int:
        return (await self._connection.execute(_PURGE, {"before": before, "most": most})).rowcount

    async def detach(self, account_id: str, most: int) -> int:
        return (await self._connection.execute(_DETACH, {"of_account": account_id, "most": most})).rowcount

    async def of_account(self, account_id: str, most: int) -> list[Event]:
        rows = await self._connection.execute(_LATEST_OF_ACCOUNT, {"of_account": account_id, "most": most})
        return [event for row in rows if (event := event_from_row(row)) is not None]

    async def page(self, account_id: str, before: tuple[datetime, int], most: int) -> list[tuple[int, Event]]:
        moment, below = before
        which = {"of_account": account_id, "moment": moment, "below": below, "most": most}
        rows = await self._connection.execute(_PAGE_OF_ACCOUNT, which)
        return [(row.sequence, event) for row in rows if (event := event_from_row(row)) is not None]

    def log_recorded(self) -> Sequence[Event]:
        """Log the recorded events, and return them. Call it after the commit: no log line may report an event that was
        rolled back.
        """
        for event in self._recorded:
            values = {name: value for name in _LOGGED if (value := getattr(event, name)) is not None}
            _log.info(event.kind.value, **values, **event.detail)
        return self._recorded


def event_with_request_id(event: Event) -> Event:
    """Return the event with the id of the current request in its detail, if there is a request."""
    return replace(event, detail=with_request_id(event.detail))


def to_values(event: Event) -> dict[str, Any]:
    """Return the values of a new event's parameters."""
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
        "actor_id": event.actor_id,
    }


def event_from_row(row: Any) -> Event | None:
    """Return the event; None, and a log line, if the row is malformed. A detail that cannot be read becomes empty."""
    try:
        values = _EVENT_READER.read([getattr(row, column.name) for column in _CHECKED])
        kind = odd_rows.read_enum(EventKind, values["kind"], "kind")
    except OddRow as why:
        odd_rows.log_skipped(events.name, getattr(row, "sequence", row.account_id), why)
        return None
    try:
        detail = odd_rows.read_detail(row.detail)
    except OddRow:
        detail = {}
    return Event(**{**values, "kind": kind, "detail": detail})


def _readable(rows: Sequence[Row[Any]]) -> list[tuple[int, Event]]:
    """Return the events of the rows that this version can read, each with its number."""
    found = [(row.sequence, event_from_row(row)) for row in rows]
    return [(sequence, event) for sequence, event in found if event is not None]
