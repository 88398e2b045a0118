"""Deleting a little at a time: the oldest rows of a table, and none that another process is deleting just now."""

from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select, tuple_

from vestibule.storage.sql.driver import DriverConnection


async def delete_oldest(
    connection: DriverConnection, table: Table, over: ColumnElement[bool], age: ColumnElement[Any], most: int
) -> int:
    """Delete rows that are `over`, at most so many, the least `age` first; how many that were.

    They are chosen in a WITH, since PostgreSQL may ask a sub-select in IN more than once, and each time get other rows
    past those that are locked. SQLite leaves the lock out; there, one transaction runs at a time.
    """
    key = tuple(table.primary_key.columns)
    chosen = select(*key).where(over).order_by(age).limit(most).with_for_update(skip_locked=True).cte("chosen")
    # RETURNING, because Python's SQLite does not count what a statement that begins with WITH deletes.
    gone = await connection.execute(delete(table).where(tuple_(*key).in_(select(chosen))).returning(key[0]))
    return len(gone.all())


def not_the_newest(table: Table) -> ColumnElement[bool]:
    """SQLite numbers the next row after the newest one that is there. Were that deleted, numbers would begin anew, and
    whoever has read beyond them would never see what is written next.
    """
    newest = table.alias()
    return table.c.sequence < select(func.max(newest.c.sequence)).scalar_subquery()
