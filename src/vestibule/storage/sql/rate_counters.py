"""`model.limits.RateCounters` in SQL: one guarded statement for each thing that is counted."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, case, delete, literal, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.clock import MOST_APART
from vestibule.model.limits import Limit, Spacing
from vestibule.storage.sql.batches import delete_oldest
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema import rate_counters


class SqlRateCounters:
    """How often something was done lately. Whom it concerns is kept as a digest, for it may be nobody's account."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, limit: Limit, subject: str, now: datetime) -> bool:
        t = rate_counters.c
        key = _key(limit, subject)
        over = _over(now, limit.within)
        counted = (
            insert(rate_counters)
            .values(subject=key, count=1, ends_at=now + limit.within)
            .on_conflict_do_update(
                index_elements=[t.subject],
                set_={
                    "count": case((over, 1), else_=t.count + 1),
                    "ends_at": case((over, now + limit.within), else_=t.ends_at),
                },
                where=over | (t.count < limit.times),
            )
            .returning(t.count)
        )
        return (await self._connection.execute(counted)).one_or_none() is not None

    async def give_back(self, limit: Limit, subject: str) -> None:
        t = rate_counters.c
        mine = t.subject == _key(limit, subject)
        await self._connection.execute(update(rate_counters).where(mine, t.count > 0).values(count=t.count - 1))

    async def space(self, spacing: Spacing, subject: str, now: datetime, *, due: bool = True) -> int | None:
        t, ends_at = rate_counters.c, now + spacing.counted
        over = _over(now, spacing.counted)
        # The row says when it is purged, a day after the last letter.
        last_due = case(
            *((t.count == letters, _moment(ends_at - spacing.after(letters))) for letters in _growing(spacing)),
            (t.count < spacing.at_once, _moment(ends_at - spacing.gap)),
            else_=_moment(ends_at - spacing.longest),
        )
        counted = (
            insert(rate_counters)
            .values(subject=_key(spacing, subject), count=1, ends_at=ends_at)
            .on_conflict_do_update(
                index_elements=[t.subject],
                set_={"count": case((over, 1), else_=t.count + 1), "ends_at": ends_at},
                where=over | (t.ends_at <= last_due) if due else None,
            )
            .returning(t.count)
        )
        count: int | None = (await self._connection.execute(counted)).scalar_one_or_none()
        return count

    async def clear(self, spacing: Spacing, subject: str) -> None:
        await self._connection.execute(delete(rate_counters).where(rate_counters.c.subject == _key(spacing, subject)))

    async def purge(self, now: datetime, most: int) -> int:
        return await delete_oldest(
            self._connection, rate_counters, rate_counters.c.ends_at <= now, rate_counters.c.ends_at, most
        )


def _over(now: datetime, within: timedelta) -> ColumnElement[bool]:
    """Whether a row is over; one also is that ends later than any that was begun by now: its clock was ahead."""
    return or_(rate_counters.c.ends_at <= now, rate_counters.c.ends_at > now + within + 2 * MOST_APART)


def _key(what: Limit | Spacing, subject: str) -> str:
    return sha256(f"{what.name}:{subject}".encode()).hexdigest()


def _growing(spacing: Spacing) -> Iterator[int]:
    """The numbers of letters after which the wait is between the shortest and the longest."""
    letters = spacing.at_once
    while spacing.after(letters) < spacing.longest:
        yield letters
        letters += 1


def _moment(at: datetime) -> Any:
    return literal(at, Instant)
