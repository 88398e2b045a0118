"""A SQLite file that is not ours, or not yet: it is refused as it was found, to the last byte."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.unprivileged import as_somebody_else, let_reach
from vestibule.model.errors import StoreUnavailable
from vestibule.process.operator_errors import OperatorError
from vestibule.storage.sql import engine
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.revision import SchemaMismatch, current_revision, require_current


def of_a_browser(path: Path, journal: str = "delete") -> None:
    with sqlite3.connect(path) as there:
        there.execute(f"PRAGMA journal_mode = {journal}")
        there.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT)")
        there.execute("INSERT INTO moz_places VALUES (1, 'https://example.com')")
    there.close()


def written_ahead(path: Path) -> None:
    of_a_browser(path, "wal")


def named_alike(path: Path) -> None:
    with sqlite3.connect(path) as there:
        there.execute("CREATE TABLE accounts (balance INTEGER)")
    there.close()


def changed_by_somebody(path: Path) -> None:
    with sqlite3.connect(path) as there:
        there.execute("CREATE TABLE vestibule_schema_of_mine (other TEXT)")
    there.close()


def text_file(path: Path) -> None:
    path.write_text("some notes\n" * 900)


def empty(path: Path) -> None:
    path.touch()


def without_tables(path: Path) -> None:
    with sqlite3.connect(path) as there:
        there.execute("PRAGMA user_version = 7")
    there.close()


OTHERS = [of_a_browser, written_ahead, named_alike, changed_by_somebody, text_file]


async def looked_at(engines: Engines) -> None:
    await current_revision(engines)
    await require_current(engines)


def found(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


@pytest.mark.parametrize("make", OTHERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("use", [looked_at, migrate], ids=["looked at", "migrated"])
async def test_c24_it_is_refused_as_it_was_found(
    make: Callable[[Path], None], use: Callable[[Engines], object], tmp_path: Path
) -> None:
    make(tmp_path / "a.db")
    before = found(tmp_path)
    engines = engine.connect(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises((OperatorError, StoreUnavailable)):
        await use(engines)  # type: ignore[misc]
    await engines.close()
    assert found(tmp_path) == before


@pytest.mark.parametrize("make", [empty, without_tables], ids=lambda make: make.__name__)
async def test_c24_what_is_empty_is_written_by_migrate_alone(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "a.db")
    before = found(tmp_path)
    engines = engine.connect(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(SchemaMismatch):
        await looked_at(engines)
    assert found(tmp_path) == before
    await migrate(engines)
    await looked_at(engines)
    await engines.close()
    assert journal_of(tmp_path / "a.db") == "wal"


async def test_what_is_ours_is_written_ahead_whatever_it_was_before(tmp_path: Path) -> None:
    """A dump that was read in again, say."""
    engines = engine.connect(f"sqlite:///{tmp_path}/a.db")
    await migrate(engines)
    await engines.close()
    with sqlite3.connect(tmp_path / "a.db") as there:
        there.execute("PRAGMA journal_mode = delete")
    there.close()
    assert journal_of(tmp_path / "a.db") == "delete"
    engines = engine.connect(f"sqlite:///{tmp_path}/a.db")
    await looked_at(engines)
    await engines.close()
    assert journal_of(tmp_path / "a.db") == "wal"


def journal_of(path: Path) -> str:
    with sqlite3.connect(path) as there:
        mode: str = there.execute("PRAGMA journal_mode").fetchone()[0]
    there.close()
    return mode


@pytest.mark.parametrize("make", [of_a_browser, text_file, empty], ids=lambda make: make.__name__)
async def test_c24_what_may_not_be_written_is_not(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "a.db")
    let_reach(tmp_path)
    (tmp_path / "a.db").chmod(0o444)
    before = found(tmp_path)
    with as_somebody_else():
        engines = engine.connect(f"sqlite:///{tmp_path}/a.db")
        with pytest.raises((OperatorError, StoreUnavailable)):
            await migrate(engines)
        await engines.close()
    assert found(tmp_path) == before
