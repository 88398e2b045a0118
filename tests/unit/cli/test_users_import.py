"""`vestibule users import`, from a table in which anybody could write anything."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.harness.backends import postgresql_database
from tests.harness.process import complaint, given_keys, run
from tests.harness.world import World
from tests.unit.cli.test_users import HASH, OURS, PASSWORD, connected, rows

# Every column is text, so that every kind of value fits, except one more that has other types.
LOOSE = """
CREATE TABLE "users" ("id" TEXT, "name" TEXT, "email" TEXT, "photo" TEXT, "verified" TEXT, "password" TEXT,
                      "role" TEXT, "createdAt" TEXT, "updatedAt" TEXT, "provider" TEXT)
"""
OTHER_TYPES = """
CREATE TABLE "users" ("id" INTEGER, "name" VARCHAR(255), "email" VARCHAR(255), "photo" BYTEA, "verified" INTEGER,
                      "password" CHAR(60), "role" TEXT, "createdAt" TIMESTAMPTZ, "updatedAt" DATE, "provider" JSON)
"""
GOOD: dict[str, Any] = {
    "id": "good",
    "name": "Canary Name",
    "email": "canary@example.com",
    "photo": "default.png",
    "verified": "true",
    "password": HASH,
    "role": "user",
    "createdAt": "2023-01-02 03:04:05.678",
    "updatedAt": "2024-01-02 03:04:05",
    "provider": None,
}
ODD: dict[str, dict[str, Any]] = {
    "role-unknown": {"role": "superuser"},
    "role-in-capitals": {"role": "ADMIN"},
    "email-null": {"email": None},
    "email-invalid": {"email": "canary at example.com"},
    "email-huge": {"email": "canary" * 1_000_000 + "@example.com"},
    "email-two-lines": {"email": "canary@example.com\nBcc: x@example.com"},
    "name-null": {"name": None},
    "name-huge": {"name": "canary" * 100},
    "verified-perhaps": {"verified": "canary"},
    "hash-null": {"password": None},
    "hash-empty": {"password": ""},
    "hash-in-the-clear": {"password": "canary-password"},
    "hash-31": {"password": HASH.replace("$12$", "$31$")},
    "hash-2x": {"password": HASH.replace("$2b$", "$2x$")},
    "hash-cut": {"password": HASH[:-1]},
    "hash-giant": {
        "password": "$argon2id$v=19$m=4194304,t=9,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
    },
    "hash-peppered": {"password": "hmac-sha256:00000000$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c"},
    "date-null": {"createdAt": None},
    "date-word": {"createdAt": "canary"},
    "date-infinite": {"updatedAt": "infinity"},
    "date-of-caesar": {"updatedAt": "0044-03-15 12:00:00 BC"},
}
# Which of those with one email stays: the verified one, or else the older.
SAME = {
    "twin-unverified": {"email": "twin@example.com", "verified": "false", "createdAt": "2001-01-01"},
    "twin-verified": {"email": "Twin@Example.com", "createdAt": "2022-01-01"},
    "twin-younger": {"email": "TWIN@example.com", "createdAt": "2023-01-01", "role": "admin"},
    "old": {"email": "Pair@example.com", "verified": "false", "createdAt": "2001-01-01"},
    "young": {"email": "pair@EXAMPLE.com", "verified": "false", "createdAt": "2002-01-01"},
}
GOOD_TOO = {
    "good": {},
    "boss": {"email": "boss@example.com", "role": "admin"},
    "nulls": {"email": "nulls@example.com", "role": None, "photo": None, "verified": None},
    "elsewhere": {"email": "google@example.com", "password": "", "provider": "google"},
}
STAY = {"good", "boss", "nulls", "elsewhere", "twin-verified", "old"}


async def fill(address: str, table: str, people: list[dict[str, Any]]) -> None:
    async with connected(address) as database:
        await database.execute(table)
        columns = ", ".join(f'"{name}"' for name in GOOD)
        places = ", ".join(f"${number}" for number in range(1, len(GOOD) + 1))
        await database.executemany(
            f"INSERT INTO users ({columns}) VALUES ({places})",  # of this file
            [tuple({**GOOD, **person}.values()) for person in people],
        )


def everybody() -> list[dict[str, Any]]:
    odd = [{"id": name, "email": f"canary-{name}@example.com", **changed} for name, changed in ODD.items()]
    fine = [{"id": name, **changed} for name, changed in (GOOD_TOO | SAME).items()]
    without_id = [{"id": each, "email": f"canary{number}@example.com"} for number, each in enumerate((None, "", "a@b"))]
    return [*odd, *without_id, *fine, {"id": "x" * 37, "email": "canary-x@example.com"}]


async def test_i3_every_row_is_judged_and_what_is_left_out_is_named_by_its_id(
    racing_world: World, tmp_path: Path
) -> None:
    here = {"DATABASE_URL": racing_world.backend.database_url, **given_keys()}
    left = {*ODD, *SAME} - STAY
    async with postgresql_database() as there:
        await fill(there, LOOSE, everybody())
        before = await rows(there, 'SELECT * FROM "users" ORDER BY 1, 3')
        dry = run(tmp_path, "users", "import", "--from", there, "--dry-run", **here)
        assert dry.returncode == 1, dry.stderr
        assert f"Would import {len(STAY)} accounts; 0 were here already." in dry.stderr
        assert await rows(here["DATABASE_URL"], OURS) == []

        await racing_world.register("boss@example.com", "a stranger's horse")
        done = run(tmp_path, "users", "import", "--from", there, **here)
        again = run(tmp_path, "users", "import", "--from", there, **here)
        assert await rows(there, 'SELECT * FROM "users" ORDER BY 1, 3') == before
    assert (done.returncode, again.returncode) == (1, 1)
    assert f"Imported {len(STAY)} accounts; 0 were here already." in done.stderr
    assert "Removed 1 accounts that nobody had verified" in done.stderr
    assert "which boss brings verified" in done.stderr
    assert f"Imported 0 accounts; {len(STAY)} were here already." in again.stderr
    for output in (dry.stderr, done.stderr, again.stderr):
        assert {name for name in left if f"Left out {name}: " in output} == left
        assert f"Left out {len(left) + 4}," in output
        assert "as users, though admins there: 1." in output
        assert "canary" not in output.lower()
        assert "$2b$" not in output
        assert "Traceback" not in output
    imported = {row[0]: row for row in await rows(here["DATABASE_URL"], OURS)}
    assert set(imported) == STAY
    assert {row[6] for row in imported.values()} == {"user"}
    await racing_world.sign_in("twin@example.com", PASSWORD)


async def test_i3_admins_only_where_they_are_believed_and_other_types_are_read(
    racing_world: World, tmp_path: Path
) -> None:
    here = {"DATABASE_URL": racing_world.backend.database_url, **given_keys()}
    async with postgresql_database() as there:
        async with connected(there) as database:
            await database.execute(OTHER_TYPES)
            await database.execute(
                "INSERT INTO users VALUES (7, 'Ada', 'ada@example.com', NULL, 1, $1, 'admin', now(), now(), NULL)", HASH
            )
        done = run(tmp_path, "users", "import", "--from", there, "--admins", **here)
    assert done.returncode == 0, done.stderr
    assert [(row[0], row[6]) for row in await rows(here["DATABASE_URL"], OURS)] == [("7", "admin")]
    await racing_world.sign_in("ada@example.com", PASSWORD)


async def test_i3_a_source_whose_letters_nobody_knows_is_refused_by_name(racing_world: World, tmp_path: Path) -> None:
    here = {"DATABASE_URL": racing_world.backend.database_url, **given_keys()}
    async with postgresql_database("template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'") as there:
        await fill(there, LOOSE, [{}])
        done = run(tmp_path, "users", "import", "--from", there, **here)
    assert done.returncode == 1
    assert "SQL_ASCII" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("people", [1_300])
async def test_i3_of_one_email_in_many_batches_the_verified_one_is_imported(
    racing_world: World, tmp_path: Path, people: int
) -> None:
    here = {"DATABASE_URL": racing_world.backend.database_url, **given_keys()}
    crowd = [{"id": f"n{number}", "email": f"n{number}@example.com"} for number in range(people)]
    crowd[people // 2] |= {"id": "first", "email": "Same@example.com", "createdAt": "2000-01-01"}
    crowd[0] |= {"id": "last", "email": "same@example.com", "verified": "false", "createdAt": "1999-01-01"}
    async with postgresql_database() as there:
        await fill(there, LOOSE, crowd)
        dry = run(tmp_path, "users", "import", "--from", there, "--dry-run", **here)
        done = run(tmp_path, "users", "import", "--from", there, **here)
    for output in (dry.stderr, done.stderr):
        assert "Left out last: its email is also that of first" in output
        assert f"{people - 1:,} accounts" in output
    assert len(await rows(here["DATABASE_URL"], OURS)) == people - 1


ODD_VALUES: dict[str, Any] = {
    "byte": b"\xff",
    "half-a-sign": b"canary \xed\xa0\x80 canary",  # U+D800, as UTF-8 would have it
    "no-end": b"canary\xe2\x82",
    "nothing": None,
    "integer": 7,
    "negative": -(2**63),
    "fraction": 1e300,
    "huge": "canary" * 300_000,
    "nul": "canary\0canary",
    "long-blob": b"\xff" * 1_000_000,
}


def in_every_column() -> list[dict[str, Any]]:
    """A person for each column and each odd value in it; who has an odd id is named by nothing else."""
    odd = [(column, kind) for column in GOOD for kind in ODD_VALUES]
    people = {f"{column}-{kind}": {column: ODD_VALUES[kind]} for column, kind in odd}
    return [{"id": name, "email": f"{name}@example.com", **changed} for name, changed in people.items()]


@asynccontextmanager
async def source(dialect: str, folder: Path, people: list[dict[str, Any]]) -> AsyncIterator[str]:
    """A database with these people, each value as it is where the database takes it, else as the text of it."""
    if dialect == "postgresql":
        async with postgresql_database() as there:
            taken = [{name: _as_text(value) for name, value in person.items()} for person in people]
            await fill(there, LOOSE, taken)
            yield there
        return
    with closing(sqlite3.connect(folder / "old.db")) as database, database:
        database.execute(LOOSE)
        columns, places = ", ".join(f'"{name}"' for name in GOOD), ", ".join("?" * len(GOOD))
        rows_ = [tuple({**GOOD, **person}.values()) for person in people]
        database.executemany(f"INSERT INTO users ({columns}) VALUES ({places})", rows_)  # of this file
        for name in GOOD:  # text that is none: what is bound as bytes stays bytes
            database.execute(f'UPDATE users SET "{name}" = CAST("{name}" AS TEXT) WHERE id LIKE \'%-no-end\'')
    yield f"sqlite:///{folder}/old.db"


def _as_text(value: Any) -> Any:
    return value if value is None or (isinstance(value, str) and "\0" not in value) else repr(value)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
async def test_c30_whatever_is_in_one_column_of_one_row_stops_no_other(
    dialect: str, racing_world: World, tmp_path: Path
) -> None:
    """C30: every row that cannot be one is left out by its id, the rest is imported, and nothing of it is said."""
    here = {"DATABASE_URL": racing_world.backend.database_url, **given_keys()}
    odd = in_every_column()
    around = [{"id": f"fine{number}", "email": f"fine{number}@example.com"} for number in range(3)]
    async with source(dialect, tmp_path, [around[0], *odd, *around[1:]]) as there:
        done = run(tmp_path, "users", "import", "--from", there, **here)
    imported = {row[0] for row in await rows(here["DATABASE_URL"], OURS)}
    left = {line.split()[2].rstrip(":") for line in done.stderr.splitlines() if line.startswith("Left out ")}
    ids = {person["id"] for person in odd if isinstance(person["id"], str) and "canary" not in person["id"]}
    assert done.returncode == 1, done.stderr
    assert imported >= {"fine0", "fine1", "fine2"}
    assert ids - imported <= left
    assert {f"{column}-byte" for column in GOOD if column != "id"} <= (left if dialect == "sqlite" else ids)
    assert not {f"{column}-huge" for column in GOOD} & imported
    assert "canary" not in done.stderr
    assert "Traceback" not in done.stderr
    async with connected(here["DATABASE_URL"]) as database:  # it is text, all of it
        assert not await database.fetch("SELECT 1 FROM accounts WHERE length(name) > 100")


def test_c30_a_source_that_is_damaged_is_the_sources_fault(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as database, database:
        database.execute(LOOSE)
        place = ", ".join(f'"{name}"' for name in GOOD)
        many = [
            tuple({**GOOD, "id": f"n{number}", "email": f"n{number}@example.com"}.values()) for number in range(500)
        ]
        database.executemany(f"INSERT INTO users ({place}) VALUES ({', '.join('?' * len(GOOD))})", many)  # of this file
    content = bytearray((tmp_path / "old.db").read_bytes())
    content[20_000:40_000] = b"\xff" * 20_000
    (tmp_path / "old.db").write_bytes(content)
    refused = run(tmp_path, "users", "import", "--from", "sqlite:///old.db", **given_keys())
    assert refused.returncode == 2
    assert complaint(refused.stderr.splitlines()[-1]).startswith("--from: old.db is damaged")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("column", ["createdAt"])
async def test_c30_a_column_that_nobody_can_put_in_order_is_the_sources_fault(
    column: str, racing_world: World, tmp_path: Path
) -> None:
    here = {"DATABASE_URL": racing_world.backend.database_url, **given_keys()}
    async with postgresql_database() as there:
        async with connected(there) as database:
            await database.execute(LOOSE.replace(f'"{column}" TEXT', f'"{column}" JSON'))
        refused = run(tmp_path, "users", "import", "--from", there, **here)
    assert refused.returncode == 2
    assert complaint(refused.stderr.splitlines()[-1]).startswith("--from: the database cannot be read: ")
    assert "Traceback" not in refused.stderr
