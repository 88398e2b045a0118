"""Store moments in a column, the same way on both databases."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, TypeDecorator
from sqlalchemy.engine import Dialect

from vestibule.model.clock import LAST_YEAR


class Instant(TypeDecorator[datetime]):
    """A moment in UTC with microseconds: timestamptz on PostgreSQL, sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return the converter to the text that SQLAlchemy would write, ten times as fast; None for PostgreSQL."""
        return _to_text if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return the converter from SQLite's text to datetime; None for PostgreSQL, which `postgresql.py` decodes.

        Text that is no moment stays text: such a row is malformed (`odd_rows.py`), and must not stop others.
        """
        if dialect.name != "sqlite":
            return None
        parse = self.impl_instance.result_processor(dialect, coltype)

        def read_or_leave(value: Any) -> Any:
            try:
                return _in_utc(parse(value))  # type: ignore[misc]  # SQLite's DateTime has one
            except (TypeError, ValueError):
                return value

        return read_or_leave


def _to_text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _in_utc(moment: datetime | None) -> datetime | str | None:
    if moment is None:
        return None
    if moment.year > LAST_YEAR:
        return str(moment)  # malformed, like text that is no moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
