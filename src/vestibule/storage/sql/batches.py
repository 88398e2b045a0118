"""Delete a bounded number of rows: the oldest of a table, skipping those that another process is deleting."""

from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, select, tuple_

from vestibule.storage.sql.prepared import Prepared


def deletion_of_oldest(table: Table, condition: ColumnElement[bool], age: ColumnElement[Any]) -> Prepared:
    """Return a statement that deletes up to `:most` rows for which `condition` is true, the lowest `age` first, and
    returns a row for each.

    The rows are chosen in a WITH, because PostgreSQL may evaluate a sub-select in IN more than once, and skip other
    locked rows each time. SQLite has no such lock, and needs none: it runs one writing transaction at a time.
    """
    key = tuple(table.primary_key.columns)
    chosen = (
        select(*key)
        .where(condition)
        .order_by(age)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    # RETURNING, because Python's SQLite does not count what a statement that begins with WITH deletes.
    return Prepared(delete(table).where(tuple_(*key).in_(select(chosen))).returning(key[0]))


def not_the_newest(table: Table) -> ColumnElement[bool]:
    """Return a condition for every row except the newest. SQLite numbers the next row after the newest one. If the
    newest were deleted, its number would be used again, and readers would take the next row for one that they know.
    """
    newest = table.alias()
    return table.c.sequence < select(func.max(newest.c.sequence)).scalar_subquery()
