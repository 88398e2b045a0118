"""`vestibule copy-database`: from the file to PostgreSQL and back, with everybody signed in, whole or not at all."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import not_to_be_had
from tests.harness import backends, servers
from tests.harness.backends import Backend, fresh, postgresql_database
from tests.harness.process import PROGRAM, complaint, environment, register, run, serving, sign_in
from tests.harness.world import FRONT_END
from vestibule.storage.sql import engine
from vestibule.storage.sql.database_copy import DatabaseCopy, NotEmpty
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.schema import metadata

EMAIL, OTHER = "ada@example.com", "grace@example.com"
ROWS, A_COUNTER = 4000, "1, '2040-01-01 00:00:00.000000'"
FILE = "sqlite:///vestibule-data/vestibule.sqlite3"


async def contents(engines: Engines) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    async with engines.sqlalchemy_reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in await connection.execute(table.select())), key=str)
            for table in metadata.sorted_tables
        }


def moved(folder: Path, address: str, source: str = FILE, **more: str) -> "subprocess.CompletedProcess[str]":
    return run(folder, "copy-database", "--from", source, DATABASE_URL=address, **more)


def lived_in(folder: Path) -> tuple[httpx.Cookies, dict[str, str]]:
    """A server on the file, with somebody signed in and somebody signed out; the cookies, and the dead token."""
    with serving(folder) as server, server.browser() as browser, server.browser() as gone:
        for client, email in ((browser, EMAIL), (gone, OTHER)):
            register(client, email)
            sign_in(client, email)
        bearer = {"Authorization": f"Bearer {gone.cookies['access_token']}"}
        assert gone.post("/api/auth/logout").status_code == 200
        assert server.stop() == 0
        return browser.cookies, bearer


async def test_from_the_file_to_postgresql_nobody_is_signed_out_and_nobody_let_back_in(
    postgresql: Backend, tmp_path: Path
) -> None:
    cookies, dead = lived_in(tmp_path)
    done = moved(tmp_path, postgresql.database_url, VESTIBULE_DATA="data-of-the-new-servers")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "Copied 2 accounts, 2 sessions" in said
    assert "the file secret.key of their VESTIBULE_DATA (vestibule-data by default)" in said
    here, there = (
        engine.connect(f"sqlite:///{tmp_path}/vestibule-data/vestibule.sqlite3"),
        engine.connect(postgresql.database_url),
    )
    assert await contents(here) == await contents(there)
    await here.close()
    await there.close()
    await asyncio.to_thread(all_is_well, tmp_path, postgresql, cookies, dead)


def all_is_well(folder: Path, postgresql: Backend, cookies: httpx.Cookies, dead: dict[str, str]) -> None:
    """Who was signed in is, and who was not is not."""
    with (
        serving(folder, **postgresql.environment | {"VESTIBULE_SECRET_KEY": ""}) as server,
        httpx.Client(
            base_url=server.base, headers={"Origin": FRONT_END}, cookies=cookies, timeout=servers.WAIT_SECONDS
        ) as client,
    ):
        assert client.get("/api/users/me").json()["data"]["user"]["email"] == EMAIL
        assert client.get("/api/users/me", headers=dead).status_code == 401
        assert client.post("/api/auth/refresh").status_code == 200
        sign_in(client, OTHER)  # which writes events with numbers of their own
        assert client.post("/api/auth/logout").status_code == 200


async def test_the_way_back_and_again(postgresql: Backend, tmp_path: Path) -> None:
    lived_in(tmp_path)
    assert moved(tmp_path, postgresql.database_url).returncode == 0
    back = f"sqlite:///{tmp_path}/back.sqlite3"
    assert moved(tmp_path, back, postgresql.database_url).returncode == 0
    here, there = engine.connect(f"sqlite:///{tmp_path}/vestibule-data/vestibule.sqlite3"), engine.connect(back)
    assert await contents(here) == await contents(there)
    await here.close()
    await there.close()


def test_where_there_is_something_already_nothing_is_changed(postgresql: Backend, tmp_path: Path) -> None:
    lived_in(tmp_path)
    assert moved(tmp_path, postgresql.database_url).returncode == 0
    again = moved(tmp_path, postgresql.database_url)
    assert again.returncode == 1
    assert "the database is not empty: there are rows in accounts" in complaint(again.stderr.splitlines()[-1])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("sqlite:///nowhere.sqlite3", "--from: there is no file nowhere.sqlite3"),
        ("mysql://there/name", "--from: "),
        ("postgresql://127.0.0.1:1/none", "--from: the database cannot be reached"),
    ],
)
def test_a_source_that_cannot_be_read_is_named(source: str, said: str, postgresql: Backend, tmp_path: Path) -> None:
    ended = moved(tmp_path, postgresql.database_url, source)
    assert ended.returncode in {1, 2}
    assert said in complaint(ended.stderr)


def test_the_same_database_twice_is_said_to_be_that(tmp_path: Path) -> None:
    backends.embedded(tmp_path / "vestibule-data")
    ended = run(tmp_path, "copy-database", "--from", FILE)
    assert ended.returncode == 2
    assert "--from: is the database of DATABASE_URL itself" in complaint(ended.stderr)


async def test_a_target_without_a_schema_says_what_to_run(tmp_path: Path) -> None:
    lived_in(tmp_path)
    try:
        async with postgresql_database() as address:
            assert "run: vestibule migrate" in complaint(moved(tmp_path, address).stderr)
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


async def test_cut_off_in_the_middle_it_leaves_nothing_and_can_be_run_again(
    postgresql: Backend, tmp_path: Path
) -> None:
    async with fresh("sqlite", tmp_path) as crowded:
        here, there = engine.connect(crowded.database_url), engine.connect(postgresql.database_url)
        async with here.sqlalchemy_transaction(seconds=None) as connection:
            await connection.exec_driver_sql(
                f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
                f" INSERT INTO rate_counters SELECT 'subject ' || i, {A_COUNTER} FROM n"
            )
        await _killed_in_the_middle(there, crowded.database_url, postgresql.database_url, tmp_path)
        assert not any((await contents(there)).values())
        carried = await DatabaseCopy(here, there).run(lambda _: None)
        assert carried["rate_counters"] == ROWS
        with pytest.raises(NotEmpty):
            await DatabaseCopy(here, there).run(lambda _: None)
        await here.close()
        await there.close()


async def _killed_in_the_middle(there: Engines, source: str, target: str, folder: Path) -> None:
    """Kill the command while it waits for a row that another transaction has: it has written what comes before."""
    async with there.sqlalchemy_transaction(seconds=None) as another:
        await another.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        row = f"'subject {ROWS // 2}'"
        await another.exec_driver_sql(f"INSERT INTO rate_counters VALUES ({row}, {A_COUNTER})")
        moving = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *("copy-database", "--from", source),
            cwd=folder,
            env=environment(folder, {"DATABASE_URL": target}),
            stderr=subprocess.DEVNULL,
        )
        await _waits(there)
        moving.kill()
        await moving.wait()
        await another.exec_driver_sql(f"DELETE FROM rate_counters WHERE subject = {row}")


async def _waits(there: Engines) -> None:
    """Returns when somebody waits there for another transaction."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(servers.WAIT_SECONDS), there.sqlalchemy_reading() as connection:
        while not (await connection.exec_driver_sql(waiting)).scalar_one():
            pass
