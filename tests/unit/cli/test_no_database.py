"""C8: what is named as a database and cannot be one is a sentence that names it, status 2, in every command."""

import os
import resource
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.conftest import not_to_be_had
from tests.harness import backends, servers
from tests.harness.backends import postgresql_database
from tests.harness.process import complaint, given_keys, run
from tests.harness.unprivileged import as_somebody_else, let_reach
from tests.unit.cli import every
from vestibule.model.errors import StoreUnavailable
from vestibule.storage.sql import engine
from vestibule.storage.sql.engine import Engines


def notes(path: Path) -> None:
    path.write_bytes(b"some notes, and no database at all\n" * 90)


def damaged(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + bytes(84) + b"\xff" * 8_000)


def cut_off(path: Path) -> None:
    backends.embedded(path.parent / "whole")
    (path.parent / "whole" / "vestibule.sqlite3").rename(path)
    os.truncate(path, 20_000)


def another_program_s(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT)")


def changed_by_somebody(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE vestibule_schema (other TEXT)")


def folder(path: Path) -> None:
    path.mkdir()


UNUSABLE: list[tuple[Callable[[Path], None], str]] = [
    (notes, "is no SQLite database"),
    (damaged, "is damaged|is no SQLite database"),
    (cut_off, "is damaged"),
    (another_program_s, "is another program's database"),
    (changed_by_somebody, "has content that Vestibule did not write"),
    (folder, "names the folder"),
]


@pytest.mark.parametrize("command", [name for name in every.OF_THE_DATABASE if name not in {"doctor", "copy-database"}])
def test_c8_every_command_says_so(command: str, tmp_path: Path) -> None:
    notes(tmp_path / "notes.txt")
    done = run(tmp_path, *every.arguments(command), DATABASE_URL="sqlite:///notes.txt", VESTIBULE_SECRET_KEY="n" * 43)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint(done.stderr.strip().splitlines()[-1]).startswith("notes.txt is no SQLite database")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("make", "words"), UNUSABLE)
@pytest.mark.parametrize("command", [["migrate"], ["events"], ["copy-database"], ["users", "import"]])
def test_c8_whatever_is_wrong_with_it(
    command: list[str], make: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    make(tmp_path / "named.db")
    settings = dict(given_keys())
    backends.embedded(tmp_path / "vestibule-data")
    if command in (["migrate"], ["events"]):
        settings["DATABASE_URL"] = "sqlite:///named.db"
    else:
        command = [*command, "--from", "sqlite:///named.db"]
    done = run(tmp_path, *command, **settings)
    assert (done.returncode, done.stdout) == (2, "")
    said = complaint(done.stderr)
    assert "named.db" in said
    assert any(each in said for each in [*words.split("|"), "no such table: users"])


@pytest.mark.parametrize(("make", "words"), UNUSABLE)
def test_c8_the_doctor_finds_it(make: Callable[[Path], None], words: str, tmp_path: Path) -> None:
    make(tmp_path / "named.db")
    done = run(tmp_path, "doctor", DATABASE_URL="sqlite:///named.db", **given_keys())
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert any(each in said for each in words.split("|"))
    assert "report this line" not in said


def test_c8_a_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    backends.embedded(tmp_path / "vestibule-data")
    for command in (["users", "import"], ["copy-database"]):
        done = run(tmp_path, *command, "--from", "sqlite:///nowhere.db", **given_keys())
        assert (done.returncode, complaint(done.stderr)) == (2, "--from: there is no file nowhere.db")
        assert not (tmp_path / "nowhere.db").exists()


async def test_c8_tables_called_as_ours_on_a_server_are_left_alone(tmp_path: Path) -> None:
    try:
        async with postgresql_database() as address:
            engines = engine.connect(address)
            async with engines.sqlalchemy_transaction() as connection:
                await connection.execute(text("CREATE TABLE accounts (balance integer)"))
            await engines.close()
            done = run(tmp_path, "migrate", DATABASE_URL=address, **given_keys())
            assert done.returncode == 2
            assert "another program with names that Vestibule uses: accounts" in complaint(done.stderr)
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


@pytest.mark.parametrize("mode", ["require", "verify-full"])
async def test_c22_a_server_without_the_tls_that_the_url_asks_for_says_so(mode: str, tmp_path: Path) -> None:
    try:
        async with postgresql_database() as address:
            engines = engine.connect(f"{address}?sslmode={mode}")
            with pytest.raises(StoreUnavailable, match=r"has no TLS, which sslmode in the URL asks for; ") as fault:
                await write(engines)
            await engines.close()
            assert fault.value.lasting
            done = run(tmp_path, "migrate", DATABASE_URL=f"{address}?sslmode={mode}", **given_keys())
            assert (done.returncode, complaint(done.stderr)) == (2, str(fault.value))
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


async def write(engines: Engines) -> None:
    """More than fits where little fits."""
    async with engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS grown (signs TEXT)"))
        await connection.execute(text("INSERT INTO grown VALUES (:signs)"), {"signs": "x" * 1_000_000})


@contextmanager
def of_a_small_disk() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def refused(path: Path, doing: Callable[[Engines], Awaitable[None]] = write, pages: int = 0) -> str:
    """What is said where the file cannot be used, by an error that no waiting mends."""
    engines = engine.connect(f"sqlite:///{path}")

    def bound(connection: Any, _: object) -> None:
        connection.cursor().execute(f"PRAGMA max_page_count = {pages}")

    if pages:
        event.listen(engines.writing.sync_engine, "connect", bound)
    try:
        with pytest.raises(StoreUnavailable) as fault:
            await doing(engines)
    finally:
        await engines.close()
    assert fault.value.lasting
    assert str(path) in str(fault.value)
    return str(fault.value)


async def test_c8_a_disk_that_is_full_or_refuses(tmp_path: Path) -> None:
    assert "its disk is full; make room there" in await refused(tmp_path / "full.db", pages=10)
    with of_a_small_disk():
        assert "look at its disk, and at quotas" in await refused(tmp_path / "small.db")


async def test_c8_a_file_that_is_not_ours_to_open(tmp_path: Path) -> None:
    let_reach(tmp_path)
    path = tmp_path / "a.db"
    path.touch(mode=0o600)
    path.chmod(0o400 if os.geteuid() else 0o600)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o555)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0o500 if os.geteuid() == 0 else 0)
    with as_somebody_else():
        assert "not this user's to read and write" in await refused(path)
        assert "may not write the folder" in await refused(tmp_path / "open" / "b.db")
        assert "Permission denied" in await refused(tmp_path / "closed" / "b.db")
    path.unlink()
    path.symlink_to(path)
    assert "Too many levels of symbolic links" in await refused(path)
    assert "there is no folder" in await refused(tmp_path / "nowhere" / "c.db")
    assert "File name too long" in await refused(tmp_path / ("d" * 300))


async def test_c8_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    sqlite3.connect(path).executescript("CREATE TABLE grown (signs TEXT)")
    let_reach(tmp_path)
    path.chmod(0o444)
    with as_somebody_else():
        assert "cannot be written" in await refused(path)


SERVER = "postgresql://ada:hush-hush@127.0.0.1:1/none"


@pytest.mark.parametrize(
    "command",
    [["serve"], ["migrate"], ["users", "create", "ada@example.com"], ["keys", "rotate"], ["events"], ["doctor"]],
)
def test_c22_a_server_that_is_not_there_is_named_with_what_to_do(command: list[str], tmp_path: Path) -> None:
    given = {"DATABASE_URL": SERVER, "PORT": str(servers.free_port()), "VESTIBULE_SECRET_KEY": "n" * 43}
    done = run(tmp_path, *command, **given)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1, said
    assert "127.0.0.1:1" in said
    assert "vestibule doctor" in said or command == ["doctor"]
    assert "hush-hush" not in said


def test_c22_what_is_refused_leaves_no_new_file(tmp_path: Path) -> None:
    done = run(tmp_path, "copy-database", "--from", "sqlite:///nofile.db", VESTIBULE_DATA="data", **given_keys())
    assert (done.returncode, complaint(done.stderr)) == (2, "--from: there is no file nofile.db")
    assert list(tmp_path.iterdir()) == []


# The schema of a source that cannot be copied as it is, and the end of the line about it.
SCHEMAS = {
    None: "no Vestibule schema yet; run: vestibule migrate, with the address of this database in DATABASE_URL",
    "0001": "; run: vestibule migrate, with the address of this database in DATABASE_URL",
    "9999": "; start the newer version, or restore the backup made before it",
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_c22_a_source_of_another_schema_is_a_line_with_what_to_do(schema: str | None, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as connection:
        if schema:
            connection.execute("CREATE TABLE vestibule_schema (version_num TEXT)")
            connection.execute("INSERT INTO vestibule_schema VALUES (?)", (schema,))
    connection.close()
    done = run(tmp_path, "copy-database", "--from", "sqlite:///old.db", **given_keys())
    assert done.returncode == 1
    said = complaint(done.stderr)
    assert said.startswith("--from: the database has ")
    assert said.endswith(SCHEMAS[schema])


def test_c22_what_is_typed_is_judged_before_the_settings_that_it_needs(tmp_path: Path) -> None:
    for wrong in ("nonsense", "sqlite:///nofile.db", "mysql://db/x"):
        done = run(tmp_path, "users", "import", "--from", wrong)
        assert done.returncode == 2
        assert complaint(done.stderr).startswith("--from: "), done.stderr
    assert list(tmp_path.iterdir()) == []
