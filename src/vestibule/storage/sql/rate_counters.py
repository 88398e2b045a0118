"""`model.limits.RateCounters` in SQL: one guarded statement for each thing that is counted."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256

from sqlalchemy import bindparam, case, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from vestibule.model.clock import MOST_APART
from vestibule.model.limits import Counted, Limit, RateCount, Spacing
from vestibule.storage.sql.batches import deletion_of_oldest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import rate_counters

_c = rate_counters.c
_SUBJECT = bindparam("of_subject", type_=_c.subject.type)
_ENDS_AT = bindparam("new_end", type_=Instant)
# A counter that ends much later than one that begins now counts as over too: a clock that was ahead began it.
_OVER = or_(_c.ends_at <= bindparam("now", type_=Instant), _c.ends_at > bindparam("too_late", type_=Instant))
_NEXT_COUNT = case((_OVER, 1), else_=_c.count + 1)
_FIRST = insert(rate_counters).values(subject=_SUBJECT, count=1, ends_at=_ENDS_AT)
_TAKE = Prepared(
    _FIRST.on_conflict_do_update(
        index_elements=[_c.subject],
        set_={"count": _NEXT_COUNT, "ends_at": case((_OVER, _ENDS_AT), else_=_c.ends_at)},
        where=_OVER | (_c.count < bindparam("times")),
    ).returning(_c.count)
)
_GIVE_BACK = Prepared(update(rate_counters).where(_c.subject == _SUBJECT, _c.count > 0).values(count=_c.count - 1))
_PURGE = deletion_of_oldest(rate_counters, _c.ends_at <= bindparam("now", type_=Instant), _c.ends_at)
_COUNTS = Prepared(
    select(_c.subject, _c.count, _c.ends_at).where(_c.subject.in_(bindparam("of_subjects", expanding=True)))
)
_DELETE = Prepared(delete(rate_counters).where(_c.subject == _SUBJECT))
# The names of parameters; `_due` gives each its value.
_GAP_AGO, _LONGEST_WAIT_AGO = "gap_ago", "longest_wait_ago"


class SqlRateCounters:
    """Implements `RateCounters`. The subject is stored as a digest, because it may be an email without an account."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def take(self, limit: Limit, subject: str, now: datetime) -> bool:
        which = {"of_subject": _key(limit, subject), "times": limit.times, **_moments(now, limit.within)}
        return (await self._connection.execute(_TAKE, which)).one_or_none() is not None

    async def give_back(self, limit: Limit, subject: str) -> None:
        await self._connection.execute(_GIVE_BACK, {"of_subject": _key(limit, subject)})

    async def take_spaced(self, spacing: Spacing, subject: str, now: datetime, *, enforce: bool = True) -> int | None:
        which = {"of_subject": _key(spacing, subject), **_moments(now, spacing.forgotten_after)}
        if enforce:
            which |= _due(spacing, now)
        counted = await self._connection.execute(_take_spaced(spacing, enforce=enforce), which)
        count: int | None = counted.scalar_one_or_none()
        return count

    async def clear(self, limit: Limit | Spacing, subject: str) -> None:
        await self._connection.execute(_DELETE, {"of_subject": _key(limit, subject)})

    async def counts(self, counted: Sequence[Counted]) -> Sequence[RateCount | None]:
        keys = [_key(*each) for each in counted]
        found = await self._connection.execute(_COUNTS, {"of_subjects": keys})
        by_key = {key: RateCount(count, ends_at) for key, count, ends_at in found}
        return [by_key.get(key) for key in keys]

    async def purge(self, now: datetime, most: int) -> int:
        return (await self._connection.execute(_PURGE, {"now": now, "most": most})).rowcount


@cache
def _take_spaced(spacing: Spacing, *, enforce: bool) -> Prepared:
    """Return the statement that counts a letter; with `enforce`, only if the wait after the last one is over.
    Cached because building it costs more than running it.
    """
    last_due = case(
        *((_c.count == letters, bindparam(_wait_ago(letters), type_=Instant)) for letters in _growing_waits(spacing)),
        (_c.count < spacing.first_few, bindparam(_GAP_AGO, type_=Instant)),
        else_=bindparam(_LONGEST_WAIT_AGO, type_=Instant),
    )
    counted = _FIRST.on_conflict_do_update(
        index_elements=[_c.subject],
        set_={"count": _NEXT_COUNT, "ends_at": _ENDS_AT},
        where=_OVER | (_c.ends_at <= last_due) if enforce else None,
    )
    return Prepared(counted.returning(_c.count))


def _due(spacing: Spacing, now: datetime) -> dict[str, datetime]:
    """Return for each wait, by parameter name, the latest `ends_at` of a row whose wait is over. A row ends
    `spacing.forgotten_after` after its last letter.
    """
    ends_at = now + spacing.forgotten_after
    growing = {_wait_ago(letters): ends_at - spacing.after(letters) for letters in _growing_waits(spacing)}
    return growing | {_GAP_AGO: ends_at - spacing.gap, _LONGEST_WAIT_AGO: ends_at - spacing.longest}


def _moments(now: datetime, within: timedelta) -> dict[str, datetime]:
    return {"now": now, "new_end": now + within, "too_late": now + within + 2 * MOST_APART}


def _key(what: Limit | Spacing, subject: str) -> str:
    return sha256(f"{what.name}:{subject}".encode()).hexdigest()


def _growing_waits(spacing: Spacing) -> Iterator[int]:
    """Yield each number of letters, from `first_few` on, after which the wait is shorter than the longest."""
    letters = spacing.first_few
    while spacing.after(letters) < spacing.longest:
        yield letters
        letters += 1


def _wait_ago(letters: int) -> str:
    return f"wait_ago_after_{letters}"
