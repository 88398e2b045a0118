"""What the database is asked while something is done."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from vestibule.storage.sql.driver import DriverConnection


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements of requests inside the block, word by word, in their order."""
    asked: list[str] = []

    def note(_dialect: str, sql: str) -> AbstractContextManager[None]:
        asked.append(sql)
        return nullcontext()

    DriverConnection.watchers.append(note)
    try:
        yield asked
    finally:
        DriverConnection.watchers.remove(note)
