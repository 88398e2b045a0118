"""`model.event_search.EventSearch` in SQL: each page continues before the last row of the page before (keyset).

One condition is found by an index: the account, else the network, else the kind, else the time alone. The others are
checked on the rows that it returns, and never on more than `MOST_READ` of them: a page ends there, however few match.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select

from vestibule.model.event_search import EventBatch, EventPosition, EventQuery
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.events import EARLIER, READ, event_from_row
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import events

MOST_READ = 1_000
"""How many rows one page reads at most: a few milliseconds."""
_HIGHEST_NUMBER = 2**63 - 1
_EARLIEST, _LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_e = events.c
_RANGE = and_(_e.at >= bindparam("since", type_=Instant), EARLIER)


def _latest(*conditions: ColumnElement[bool]) -> Prepared:
    ordered = select(*READ, _e.sequence).where(*conditions, _RANGE).order_by(_e.at.desc(), _e.sequence.desc())
    return Prepared(ordered.limit(bindparam("most", type_=_e.sequence.type)))


IN_TIME = _latest()
OF_ACCOUNT = _latest(_e.account_id == bindparam("value", type_=_e.account_id.type))
FROM_NETWORK = _latest(_e.network_address == bindparam("value", type_=_e.network_address.type))
OF_KIND = _latest(_e.kind == bindparam("value", type_=_e.kind.type))
_BY_INDEX = {"account_id": OF_ACCOUNT, "network_address": FROM_NETWORK, "kind": OF_KIND}


class SqlEventSearch:
    """Implements `EventSearch`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def page(self, wanted: EventQuery, before: EventPosition | None, most: int) -> EventBatch:
        asked = {name: value for name in _BY_INDEX if (value := getattr(wanted, name)) is not None}
        indexed, *others = asked or (None,)
        limit = MOST_READ if others else most
        which = {**_range(wanted, before), "most": limit}
        if indexed is not None:
            which["value"] = asked[indexed]
        rows = (await self._connection.execute(_BY_INDEX.get(indexed or "", IN_TIME), which)).all()
        matching = [row for row in rows if all(getattr(row, name) == asked[name] for name in others)][:most]
        last = matching if len(matching) == most else rows if len(rows) == limit else []
        return EventBatch([event for row in matching if (event := event_from_row(row)) is not None], _end(last))


def _range(wanted: EventQuery, before: EventPosition | None) -> dict[str, Any]:
    """Return the parameters of the range of time: up to `until`, or from before the position if that is earlier."""
    until, since = wanted.until or _LATEST, wanted.since or _EARLIEST
    if before is None or before.at > until:
        return {"since": since, "moment": until, "below": _HIGHEST_NUMBER}
    return {"since": since, "moment": before.at, "below": before.number}


def _end(rows: Sequence[Any]) -> EventPosition | None:
    """Return the position of the last row that has one: the time of a malformed row may be any text."""
    timed = (row for row in reversed(rows) if isinstance(row.at, datetime))
    return next((EventPosition(row.at, row.sequence) for row in timed), None)
