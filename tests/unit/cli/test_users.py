"""`vestibule users import`: the tutorial's own table, ten thousand rows of it, and everybody keeps their password."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.conftest import not_to_be_had
from tests.harness import servers
from tests.harness.backends import Backend, postgresql_database
from tests.harness.process import complaint, given_keys, run
from tests.harness.world import World

PASSWORD = "password123"
# `PASSWORD`, as the tutorial's server keeps it: bcrypt, cost 12.
HASH = "$2b$12$h92ratBmzMVQemMIaGPF0.eNWzohLzJYP3bSJCtBiLPFnj1oPGLia"
PEOPLE = 2_500

# What Prisma makes of the tutorial's schema.
TABLE = """
CREATE TYPE "RoleEnumType" AS ENUM ('user', 'admin');
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "name" VARCHAR(255) NOT NULL,
    "email" TEXT NOT NULL,
    "photo" TEXT DEFAULT 'default.png',
    "verified" BOOLEAN DEFAULT false,
    "password" TEXT NOT NULL,
    "role" "RoleEnumType" DEFAULT 'user',
    "verificationCode" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "provider" TEXT,
    "passwordResetToken" TEXT,
    "passwordResetAt" TIMESTAMP(3),
    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");
CREATE UNIQUE INDEX "users_verificationCode_key" ON "users"("verificationCode");
"""
ROWS = """
INSERT INTO "users" ("id", "name", "email", "photo", "verified", "password", "role", "createdAt", "updatedAt")
SELECT gen_random_uuid()::text, 'Person ' || n, 'person' || n || '@example.com',
       CASE WHEN n % 10 = 0 THEN n || '.png' ELSE 'default.png' END, n % 2 = 0, $1,
       (CASE WHEN n % 100 = 0 THEN 'admin' ELSE 'user' END)::"RoleEnumType",
       timestamp '2023-01-01' + n * interval '1 minute 1.234 seconds', timestamp '2024-01-01' + n * interval '1 second'
FROM generate_series(1, $2::int) AS n
"""
THEIRS = """
SELECT "id", "name", "email", "photo", "verified", "password", "role"::text,
       "createdAt" AT TIME ZONE 'UTC', "updatedAt" AT TIME ZONE 'UTC', "provider" FROM "users" ORDER BY "id"
"""
OURS = """
SELECT id, name, email, photo, verified, password_hash, role, created_at, updated_at, provider
FROM accounts ORDER BY id
"""
ONE_MORE = """
INSERT INTO "users" ("id", "name", "email", "password", "updatedAt")
VALUES (gen_random_uuid()::text, 'One more', $1, $2, now())
"""


@asynccontextmanager
async def connected(address: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection of the test's own."""
    connection = await asyncpg.connect(address)
    try:
        yield connection
    finally:
        await connection.close()


async def make_table(address: str, people: int) -> None:
    """The tutorial's table, with this many people in it."""
    async with connected(address) as database:
        await database.execute(TABLE)
        await database.execute(ROWS, HASH, people)


async def add_one(address: str, email: str) -> None:
    async with connected(address) as database:
        await database.execute(ONE_MORE, email, HASH)


async def rows(address: str, query: str) -> list[tuple[Any, ...]]:
    async with connected(address) as database:
        return [tuple(row) for row in await database.fetch(query)]


@pytest.fixture
async def elsewhere() -> AsyncIterator[str]:
    """A PostgreSQL database with the tutorial's table and three people."""
    try:
        async with postgresql_database() as address:
            await make_table(address, 3)
            yield address
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


async def test_many_people_in_the_same_database_twice(racing_world: World, tmp_path: Path) -> None:
    address = racing_world.backend.database_url
    await make_table(address, PEOPLE)
    first = run(tmp_path, "users", "import", "--admins", DATABASE_URL=f"{address}?schema=public", **given_keys())
    assert first.returncode == 0, first.stderr
    assert first.stdout == ""
    assert "Importing" in first.stderr
    assert "2500/2500" in first.stderr
    assert "Imported 2,500 accounts; 0 were here already." in first.stderr
    imported = await rows(address, OURS)
    assert len(imported) == PEOPLE
    assert imported == await rows(address, THEIRS)
    await racing_world.sign_in("person100@example.com", PASSWORD)
    renewed = await rows(address, OURS)

    again = run(tmp_path, "users", "import", DATABASE_URL=address, **given_keys())
    assert again.returncode == 0, again.stderr
    assert "Imported 0 accounts; 2,500 were here already." in again.stderr
    assert await rows(address, OURS) == renewed


async def test_from_another_database_with_the_old_password(racing_world: World, elsewhere: str, tmp_path: Path) -> None:
    address = racing_world.backend.database_url
    await add_one(elsewhere, "Grace@Example.com")
    before = await rows(elsewhere, THEIRS)
    done = run(
        tmp_path, "users", "import", "--from", f"{elsewhere}?schema=public", DATABASE_URL=address, **given_keys()
    )
    assert done.returncode == 0, done.stderr
    assert await rows(elsewhere, THEIRS) == before
    browser = await racing_world.sign_in("person2@example.com", PASSWORD)
    user = (await browser.get("/api/users/me")).json()["data"]["user"]
    assert user["id"] in {row[0] for row in before}
    kept = {row[2]: row[5] for row in await rows(address, OURS)}
    assert kept["person1@example.com"] == HASH
    assert kept["person2@example.com"].startswith("$argon2id$")
    await racing_world.sign_in("person2@example.com", PASSWORD)
    await racing_world.sign_in("grace@example.com", PASSWORD)


async def test_who_is_here_already_stays_as_they_are(racing_world: World, elsewhere: str, tmp_path: Path) -> None:
    await racing_world.register("person1@example.com")
    address = racing_world.backend.database_url
    before = await rows(address, OURS)
    done = run(tmp_path, "users", "import", "--from", elsewhere, DATABASE_URL=address, **given_keys())
    assert done.returncode == 1
    assert "Imported 2 accounts; 0 were here already." in done.stderr
    assert f"its email is that of {before[0][0]}, which is here already" in done.stderr
    assert before[0] in await rows(address, OURS)
    await racing_world.sign_in("person1@example.com")


async def test_an_email_nobody_can_write_to_is_left_out_and_counted(
    racing_world: World, elsewhere: str, tmp_path: Path
) -> None:
    for email in ("nobody", "two@at@signs.example", "Zoë@example.com"):
        await add_one(elsewhere, email)
    address = racing_world.backend.database_url
    done = run(tmp_path, "users", "import", "--from", elsewhere, DATABASE_URL=address, **given_keys())
    assert done.returncode == 1, done.stderr
    assert "Imported 3 accounts" in done.stderr
    assert "Left out 3, each named above." in done.stderr
    assert len(await rows(address, OURS)) == 3


async def test_what_prisma_lets_be_null_gets_its_default(racing_world: World, elsewhere: str, tmp_path: Path) -> None:
    async with connected(elsewhere) as old:
        await old.execute('UPDATE "users" SET "photo" = NULL, "verified" = NULL, "role" = NULL')
    address = racing_world.backend.database_url
    done = run(tmp_path, "users", "import", "--from", elsewhere, DATABASE_URL=address, **given_keys())
    assert done.returncode == 0, done.stderr
    assert {(row[3], row[4], row[6]) for row in await rows(address, OURS)} == {("default.png", False, "user")}


@pytest.mark.parametrize("column", [None, "provider"], ids=["no table", "no such column"])
async def test_another_table_than_the_tutorials_is_one_line(
    column: str | None, postgresql: Backend, elsewhere: str, tmp_path: Path
) -> None:
    async with connected(elsewhere) as old:
        await old.execute(f'ALTER TABLE "users" DROP "{column}"' if column else 'DROP TABLE "users"')
    done = run(tmp_path, "users", "import", "--from", elsewhere, DATABASE_URL=postgresql.database_url, **given_keys())
    assert done.returncode == 2
    assert (column or "users") in complaint(done.stderr)


def test_a_source_out_of_reach_is_one_line_that_names_it(postgresql: Backend, tmp_path: Path) -> None:
    source = f"postgresql://ada:hush-hush@127.0.0.1:{servers.free_port()}/old"
    done = run(tmp_path, "users", "import", "--from", source, DATABASE_URL=postgresql.database_url, **given_keys())
    assert done.returncode == 1
    assert complaint(done.stderr).startswith("--from: ")
    assert "hush-hush" not in done.stderr


def test_a_source_that_is_no_address_is_one_line_that_names_it(postgresql: Backend, tmp_path: Path) -> None:
    done = run(tmp_path, "users", "import", "--from", "hush-hush", DATABASE_URL=postgresql.database_url, **given_keys())
    assert done.returncode == 2
    assert complaint(done.stderr).startswith("--from: ")
    assert "hush-hush" not in done.stderr
