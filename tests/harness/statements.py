"""Record the SQL that is sent to the database."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from vestibule.storage.sql.driver import DriverConnection


@contextmanager
def statements() -> Iterator[list[str]]:
    """Yield a list to which each statement of a `DriverConnection` is added during the block, in order."""
    asked: list[str] = []

    def note(_dialect: str, sql: str) -> AbstractContextManager[None]:
        asked.append(sql)
        return nullcontext()

    DriverConnection.watchers.append(note)
    try:
        yield asked
    finally:
        DriverConnection.watchers.remove(note)
