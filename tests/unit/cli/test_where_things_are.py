"""Where the database, its schema and the secret are: named in whatever letters, found there, and for one's own eyes."""

import asyncio
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.harness import servers
from tests.harness.backends import Backend
from tests.harness.process import complaint, given_keys, run, serving
from tests.unit.cli import every
from vestibule.storage.sql import url
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.url import WrongAddress
from vestibule.wiring.opening import database, read_settings

SECRET = {"VESTIBULE_SECRET_KEY": "n" * 43}


async def _migrate() -> None:
    """As the process does that migrates."""
    async with database(read_settings()) as engines:
        await migrate(engines)


@pytest.mark.parametrize("name", ["a?b", "100%20", "a b", "a#b", "~a", "~", "ü%3F", "sqlite:"])
def test_c4_the_database_is_in_the_data_folder_whatever_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VESTIBULE_DATA", f"./{name}")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    asyncio.run(_migrate())
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "vestibule.sqlite3").is_file()


def test_c4_so_it_is_for_the_command(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate", VESTIBULE_DATA="./~sqlite:a?b 100%20#ü%3F").returncode == 0
    assert [path.name for path in tmp_path.rglob("*.sqlite3")] == ["vestibule.sqlite3"]
    assert (tmp_path / "~sqlite:a?b 100%20#ü%3F" / "vestibule.sqlite3").is_file()


def test_c4_a_tilde_is_home(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate", VESTIBULE_DATA="~/data", HOME=str(tmp_path / "home")).returncode == 0
    assert (tmp_path / "home" / "data" / "vestibule.sqlite3").is_file()


WRONG = [
    ("sqlite://", "names no file"),
    ("sqlite:///:memory:", "names no file"),
    ("sqlite://data.db", "names no file"),
    ("sqlite:///~nobody-here/a", "whose home that is cannot be found out"),
    ("sqlite:////tmp", "names the folder /tmp"),
    ("sqlite:///data.db?mode=ro", "%3F"),
    ("file:./dev.db", "is not a database address"),
    ("postgresql://u:hush-hush@a,b/x", "more than one host"),
    ("postgresql://u:hush-hush@a:99999/x", "the port '99999'"),
    ("postgresql://u:hush-hush@/x?host=a&port=x", "the port 'x'"),
    ("postgresql://u:hush-hush@a/x?schema=a&schema=b", "twice"),
    ("postgresql://u:hush-hush@a/x?sslmode=perhaps", "unknown sslmode"),
    ("postgresql://u:hush-hush@a/x?sslrootcert=/nowhere", "sslrootcert=/nowhere, which cannot be read"),
    ("postgresql://u:hush-hush@a/x?sslrootcert=./~nobody-here/a", "sslrootcert=./~nobody-here/a, which cannot be read"),
    ("postgresql://u:hush-hush@a/x?sslrootcert=~nobody-here/a", "whose home that is cannot be found out"),
    ("postgresql://u:hush-hush@a/x?sslrootcert=/dev/zero", "is not a regular file"),
    ("postgresql://u:hush-hush@a/x?sslrootcert=/tmp", "sslrootcert=/tmp, which cannot be read"),
    ("postgresql://u:hush-hush@a/x?sslrootcert=a%00b", "null"),
    ("postgresql://u:hush-hush@a/x?sslrootcert=/dev/null", "in which there is no certificate"),
    ("postgresql://u:hush-hush@a/x?sslmode=prefer&sslrootcert=/dev/null", "but sslmode=prefer"),
    ("postgresql://u:hush-hush@a/x?sslcert=/dev/null", "only one of sslcert and sslkey"),
    ("postgresql://u:hush-hush@a/x?sslcert=/dev/null&sslkey=/nowhere", "sslkey=/nowhere, which cannot be read"),
]


@pytest.mark.parametrize(("address", "words"), WRONG)
def test_c4_an_address_that_cannot_be_meant_is_one_line(address: str, words: str) -> None:
    with pytest.raises(WrongAddress) as refused:
        url.parse(address)
    assert words in str(refused.value)
    assert "hush-hush" not in str(refused.value)


async def test_c4_a_schema_is_named_in_whatever_letters(empty_database: str, tmp_path: Path) -> None:
    missing = run(tmp_path, "migrate", DATABASE_URL=f"{empty_database}?schema=My%20%22schema-1")
    assert (missing.returncode, complaint(missing.stderr)) == (
        1,
        'DATABASE_URL: there is no schema "My ""schema-1" in the database; make it: CREATE SCHEMA "My ""schema-1"',
    )
    address = make_url(empty_database)
    driver = pytest.importorskip("asyncpg")
    connection = await driver.connect(address.render_as_string(hide_password=False))
    await connection.execute('CREATE SCHEMA "My ""schema-1"')
    assert run(tmp_path, "migrate", DATABASE_URL=f"{empty_database}?schema=My%20%22schema-1").returncode == 0
    where = await connection.fetchval(
        "SELECT table_schema FROM information_schema.tables WHERE table_name = 'accounts'"
    )
    await connection.close()
    assert where == 'My "schema-1'


@pytest.mark.parametrize(
    "command",
    [["events"], ["users", "create", "ada@example.com"], ["services", "list"], ["keys", "rotate"], ["mail", "list"]],
)
def test_c6_no_command_makes_a_secret_where_it_stands(command: list[str], postgresql: Backend, tmp_path: Path) -> None:
    for settings in ({"DATABASE_URL": postgresql.database_url}, {}):
        done = run(tmp_path, *command, **settings)
        assert (done.returncode, done.stdout) == (2, "")
        assert complaint(done.stderr).startswith("VESTIBULE_SECRET_KEY: ")
        assert list(tmp_path.iterdir()) == []


def test_c6_a_server_on_postgresql_says_which_secret_to_set(postgresql: Backend, tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--port", str(servers.free_port()), DATABASE_URL=postgresql.database_url)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "token_urlsafe" in complaint(done.stderr)


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 64])
def test_c6_a_file_without_its_secret_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "vestibule-data").mkdir(mode=0o700)
    secret = tmp_path / "vestibule-data" / "secret.key"
    secret.write_bytes(content)
    secret.chmod(0o600)  # or a warning of that stood above it
    done = run(tmp_path, "serve", "--port", str(servers.free_port()))
    assert (done.returncode, complaint(done.stderr).partition(":")[0]) == (2, "VESTIBULE_SECRET_KEY")


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after a first start, its secret beside it."""
    folder = tmp_path_factory.mktemp("lived-in")
    with serving(folder) as server:
        assert server.stop() == 0
    return folder / "vestibule-data"


NEEDS_NO_SECRET = {"migrate", "doctor", "copy-database", "keys list"}
LOST = "any more; put the copy back there, or if it is lost, see Backup in docs/operating.md"


@pytest.mark.parametrize("command", [name for name in every.OF_THE_DATABASE if name not in NEEDS_NO_SECRET])
def test_c31_where_keys_are_sealed_no_secret_is_made_in_the_place_of_a_lost_one(
    command: str, lived_in: Path, tmp_path: Path
) -> None:
    """C31: the start fails, and leaves nothing that would be taken for the right one."""
    data = shutil.copytree(lived_in, tmp_path / "vestibule-data")
    secret = (data / "secret.key").read_bytes()
    (data / "secret.key").unlink()
    before = {path.name for path in data.iterdir()}
    refused = run(tmp_path, *every.arguments(command))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert complaint(refused.stderr.strip().splitlines()[-1]).startswith("VESTIBULE_SECRET_KEY: ")
    assert refused.stderr.strip().endswith(LOST)
    assert "vestibule serve" not in refused.stderr
    assert {path.name for path in data.iterdir()} <= {*before, "vestibule.sqlite3-wal", "vestibule.sqlite3-shm"}
    (data / "secret.key").write_bytes(secret)
    assert run(tmp_path, "services", "list").returncode == 0


def test_c31_another_secret_than_that_of_the_keys_says_what_to_put_back(lived_in: Path, tmp_path: Path) -> None:
    data = shutil.copytree(lived_in, tmp_path / "vestibule-data")
    (data / "secret.key").write_text("x" * 43)
    refused = complaint(run(tmp_path, "serve").stderr)
    assert refused.endswith(
        "restore that key in vestibule-data/secret.key, or if it is lost, see Backup in docs/operating.md"
    )


def _another_program_s(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY)")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE vestibule_schema (version_num TEXT)")
        other.execute("INSERT INTO vestibule_schema VALUES ('9999')")


def _notes(path: Path) -> None:
    path.write_text("milk, bread\n" * 100)


@pytest.mark.parametrize("make", [_another_program_s, _newer, _notes])
def test_c31_a_start_that_fails_leaves_no_secret_behind(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "named.db")
    refused = run(tmp_path, "serve", DATABASE_URL="sqlite:///named.db")
    assert refused.returncode in {1, 2}
    assert not list(tmp_path.rglob("secret.key"))
    assert "named.db" in refused.stderr or "9999" in refused.stderr


@pytest.mark.parametrize("make", [_another_program_s, _newer, _notes])
def test_c31_nor_does_one_under_another_asgi_server(make: Callable[[Path], None], tmp_path: Path) -> None:
    """C31: which migrates nothing first, so that only the order of opening keeps the secret from being made."""
    make(tmp_path / "named.db")
    script = (
        "import asyncio; from contextlib import AsyncExitStack; "
        "from vestibule.wiring.opening import open_env, read_settings; "
        "asyncio.run(AsyncExitStack().enter_async_context(open_env(read_settings(), make_secret=True)))"
    )
    refused = run(tmp_path, program=(sys.executable, "-c", script), DATABASE_URL="sqlite:///named.db")
    assert refused.returncode == 1
    assert not list(tmp_path.rglob("secret.key"))
    assert "named.db" in refused.stderr or "9999" in refused.stderr


@pytest.mark.parametrize("command", [["serve"], ["events"], ["migrate"]])
def test_c31_a_data_folder_that_cannot_be_made_is_blamed_alone(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for settings in ({}, {"DATABASE_URL": "sqlite:///named.db"}):
        if settings and command != ["serve"]:
            continue  # which needs no data folder then
        refused = run(tmp_path, *command, VESTIBULE_DATA="file/kept", **settings)
        assert refused.returncode == 2
        (line,) = refused.stderr.splitlines()[-1:]
        if command == ["events"]:
            assert line.startswith("vestibule: VESTIBULE_SECRET_KEY: ")
        else:
            assert line.startswith("vestibule: VESTIBULE_DATA: cannot make ")
        assert line.count("VESTIBULE_") == 1


def test_c7_database_and_secret_are_for_their_owners_eyes(tmp_path: Path) -> None:
    data = tmp_path / "vestibule-data"
    with serving(tmp_path, **given_keys()):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
    assert {name for name in modes if name.startswith("vestibule.sqlite3")} >= {
        "vestibule.sqlite3",
        "vestibule.sqlite3-wal",
    }
    assert {mode for name, mode in modes.items() if name.startswith("vestibule.sqlite3")} == {0o600}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_c7_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate", VESTIBULE_DATA="kept/here").returncode == 0
    assert stat.S_IMODE((tmp_path / "kept" / "here").stat().st_mode) == 0o700
