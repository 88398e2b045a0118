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

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return the converter to datetime. Text that is no moment stays text: such a row is malformed (`odd_rows.py`),
        and must not stop the rows beside it.
        """
        read = super().result_processor(dialect, coltype)
        if read is None or dialect.name != "sqlite":
            return read

        def read_or_leave(value: Any) -> Any:
            try:
                return read(value)
            except (TypeError, ValueError):
                return value

        return read_or_leave

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if not isinstance(value, datetime):
            return value
        if value.year > LAST_YEAR:
            return str(value)  # type: ignore[return-value]  # as odd as text that is no moment
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
