"""A SQLite file that another program keeps locked: the operator hears which file, and how to find the program."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from vestibule.model.errors import StoreUnavailable
from vestibule.storage.sql import engine
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.timeouts import DatabaseTimeouts

AT_ONCE = DatabaseTimeouts(for_transaction=0.1)


@pytest.mark.parametrize("way", ["transaction", "single_statements", "sqlalchemy_transaction"])
async def test_a_locked_file_is_named_with_how_to_find_who_locks_it(way: str, tmp_path: Path) -> None:
    path = tmp_path / "vestibule.sqlite3"
    engines = engine.connect(f"sqlite:///{path}", timeouts=AT_ONCE)
    try:
        await migrate(engines)
        with closing(sqlite3.connect(path, isolation_level=None)) as another:
            another.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StoreUnavailable, match="another program") as refusal:
                async with getattr(engines, way)():
                    pass
        assert str(path) in str(refusal.value)
    finally:
        await engines.close()
