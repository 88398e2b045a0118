"""Event search: find events of one account, network or kind, in a range of time, in pages, the latest first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from vestibule.model.account_search import NotACursor
from vestibule.model.clock import LAST_YEAR
from vestibule.model.events import Event, EventKind

_CURSOR = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class EventQuery:
    """Which events to find: those that match every field that is set. `since` is the first moment, `until` the last."""

    account_id: str | None = None
    network_address: str | None = None
    kind: EventKind | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class EventPosition:
    """Where a page of events ended: the time and the number of its last event. As text it is a cursor."""

    at: datetime
    number: int

    def to_cursor(self) -> str:
        """Return the position as text."""
        return f"{(self.at - _EPOCH) // _MICROSECOND}.{self.number}"

    @classmethod
    def of_cursor(cls, cursor: str) -> "EventPosition":
        """Return the position that `to_cursor` turned into this text; raises `NotACursor`."""
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise NotACursor
        try:
            at = _EPOCH + int(found[1]) * _MICROSECOND
        except OverflowError:
            raise NotACursor from None
        if at.year > LAST_YEAR:
            raise NotACursor
        return cls(at, int(found[2]))


@dataclass(frozen=True)
class EventBatch:
    """Events, the latest first, without those whose rows are malformed. `end` is where the next batch begins; None if
    there are no more. A batch may be short, even empty, although others follow.
    """

    events: Sequence[Event]
    end: EventPosition | None


class EventSearch(Protocol):
    """The events, as an operator looks for them. Reads a bounded number of rows, by an index."""

    async def page(self, wanted: EventQuery, before: EventPosition | None, most: int) -> EventBatch:
        """Return up to `most` events that match, older than the position `before`; the newest ones if it is None."""
