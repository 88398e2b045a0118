"""`model.revocations.Revocations` in SQL: rows are appended, read in order, and purged once they are over."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, update

from vestibule.model.revocations import RangeChecksum, Reach, Revocation, RevocationKind
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.batches import deletion_of_oldest, not_the_newest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import revocations

_INSERTED_COLUMNS = ("at", "kind", "subject", "purge_at", "not_before")
_r = revocations.c
_APPEND = Prepared(insert(revocations).returning(_r.sequence, _r.kind, _r.subject))
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# In SQLite, a malformed `purge_at` sorts before all moments, or after. To be safe, such a row counts as in force.
_IN_FORCE = or_(_r.purge_at > bindparam("since", type_=Instant), _r.purge_at < _LONG_AGO)
# The rows that a reader follows: `model.revocations.Reach`.
_WITHIN = or_(_r.sequence > bindparam("begins_after"), _IN_FORCE)
_FIRST_AND_LAST = Prepared(
    select(
        select(func.min(_r.sequence)).where(_IN_FORCE, _r.at <= bindparam("latest", type_=Instant)).scalar_subquery(),
        select(func.max(_r.sequence)).scalar_subquery(),
    )
)
_AFTER = Prepared(
    select(_r.at, _r.kind, _r.subject, _r.purge_at, _r.not_before, _r.sequence)
    .where(_r.sequence > bindparam("known"), _WITHIN)
    .order_by(_r.sequence)
    .limit(bindparam("most"))
)
_BETWEEN = Prepared(
    select(func.count(), func.coalesce(func.sum(_r.sequence), 0)).where(
        _r.sequence > bindparam("known"), _r.sequence <= bindparam("up_to"), _WITHIN
    )
)
_NOT_NEWEST = not_the_newest(revocations)
_NOW = bindparam("now", type_=Instant)
_PURGE = deletion_of_oldest(revocations, and_(_r.purge_at < _NOW, _NOT_NEWEST), _r.purge_at)
_CLEAR_NEWEST = Prepared(
    update(revocations).where(_r.purge_at < _NOW, ~_NOT_NEWEST, _r.subject != "").values(subject="")
)
_REVOCATION_READER = odd_rows.Reader((_r.at, _r.kind, _r.subject, _r.purge_at, _r.not_before, _r.sequence))
_MALFORMED_ROW_LASTS = timedelta(days=1)  # longer than any token lives
_FAR_FUTURE = datetime(9000, 1, 1, tzinfo=UTC)


class SqlRevocations:
    """Implements `Revocations`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def append(self, batch: Sequence[Revocation]) -> list[Revocation]:
        if not batch:
            return []
        rows = [{name: getattr(revocation, name) for name in _INSERTED_COLUMNS} for revocation in batch]
        # `execute` splits the rows into as many statements as the database needs.
        added = await self._connection.execute(_APPEND, rows)
        numbers = {(row.kind, row.subject): row.sequence for row in added}
        return [replace(made, sequence=numbers[made.kind.value, made.subject]) for made in batch]

    async def reach(self, since: datetime, latest: datetime) -> Reach:
        found = await self._connection.execute(_FIRST_AND_LAST, {"since": since, "latest": latest})
        first, last = found.one()
        begins_after = int(last or 0) if first is None else int(first) - 1
        return Reach(begins_after, since)

    async def after(self, sequence: int, reach: Reach, most: int) -> list[Revocation]:
        which = {"known": sequence, "begins_after": reach.begins_after, "since": reach.since, "most": most}
        rows = await self._connection.execute(_AFTER, which)
        return [revocation for row in rows for revocation in _revocations(row)]

    async def between(self, after: int, up_to: int, reach: Reach) -> RangeChecksum:
        which = {"known": after, "up_to": up_to, "begins_after": reach.begins_after, "since": reach.since}
        found = await self._connection.execute(_BETWEEN, which)
        return RangeChecksum(*map(int, found.one()))

    async def purge(self, now: datetime, most: int) -> int:
        gone = (await self._connection.execute(_PURGE, {"now": now, "most": most})).rowcount
        # The newest row stays, so that its number is not given again. Clear its subject: the account may be deleted.
        await self._connection.execute(_CLEAR_NEWEST, {"now": now})
        return gone


def _revocations(row: Any) -> Iterator[Revocation]:
    """Yield the revocation in a row. If the row is malformed, yield every revocation that it may stand for: a later
    version may have written it, and no revocation may be missed.
    """
    try:
        values = _REVOCATION_READER.read(row)
        kind = odd_rows.read_enum(RevocationKind, values["kind"], "kind")
        _require_since(kind, values["not_before"])
        yield Revocation(**{**values, "kind": kind})
    except OddRow as why:
        odd_rows.log_skipped(revocations.name, row.sequence, why)
        yield from _all_it_may_mean(row)


def _require_since(kind: RevocationKind, not_before: datetime | None) -> None:
    if kind is RevocationKind.ACCOUNT and not_before is None:
        raise OddRow("not_before")


def _all_it_may_mean(row: Any) -> Iterator[Revocation]:
    """Yield the end of the session and of the account that the row may name, for tokens issued before its moments."""
    moments = [moment for moment in (row.not_before, row.at) if isinstance(moment, datetime)]
    at = max(moments, default=_FAR_FUTURE)
    for kind in (RevocationKind.SESSION, RevocationKind.ACCOUNT):
        purge_at = at + _MALFORMED_ROW_LASTS
        yield Revocation(at, kind, str(row.subject), purge_at=purge_at, not_before=at, sequence=row.sequence)
