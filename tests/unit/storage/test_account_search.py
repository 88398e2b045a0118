"""`model.account_search.AccountSearch`, on both databases: who is found, in which order, and by which index."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.harness.world import World
from tests.unit.storage import NOW, stored_account
from vestibule.model.account_search import NotACursor, Order, Position
from vestibule.model.store import Store
from vestibule.storage.sql.account_search import BY_EMAIL, BY_NAME, UNVERIFIED_SINCE, email_page, name_page
from vestibule.storage.sql.prepared import Prepared

PEOPLE = {
    "ada@example.com": "Zoë",
    "ada-2@example.com": "ADA Byron",
    "adaline@example.com": "ada lovelace",
    "bob@example.com": "Ada%",
    "b_b@example.com": "_",
    "carol@example.com": "ÉMILE",
    "dan@example.com": "émile",
    "eve@example.com": "Ada \U0010fffd",
}
BY_EMAIL_BEGINNING = {
    "ada": ["ada-2@example.com", "ada@example.com", "adaline@example.com"],
    "ada@": ["ada@example.com"],
    "b_": ["b_b@example.com"],
    "%": [],
    "": sorted(PEOPLE),
}
BY_NAME_BEGINNING = {
    "ADA": ["ada-2@example.com", "adaline@example.com", "eve@example.com", "bob@example.com"],
    "ada%": ["bob@example.com"],
    "_": ["b_b@example.com"],
    "zoë": ["ada@example.com"],
    "x": [],
}


async def fill(store: Store) -> None:
    for email, name in PEOPLE.items():
        await stored_account(store, email=email, name=name)


@pytest.mark.parametrize("most", [1, 2, 100])
async def test_o40_who_begins_so_is_found_page_by_page(store: Store, most: int) -> None:
    """O40: signs that mean something in a LIKE mean themselves."""
    await fill(store)
    for order, expected in ((Order.EMAIL, BY_EMAIL_BEGINNING), (Order.NAME, BY_NAME_BEGINNING)):
        for prefix, emails in expected.items():
            assert await everybody(store, order, prefix, most) == emails, (order, prefix)


async def test_o40_on_postgresql_all_letters_are_found_in_either_case(world: World) -> None:
    await fill(world.env.store)
    found = await everybody(world.env.store, Order.NAME, "émi", 100)
    both = ["carol@example.com", "dan@example.com"]
    assert sorted(found) == (both if world.engines.dialect == "postgresql" else both[1:])


async def everybody(store: Store, order: Order, prefix: str, most: int) -> list[str]:
    found, after = [], None
    async with store.reading() as read:
        ask = read.account_search.by_email if order is Order.EMAIL else read.account_search.by_name
        while True:
            batch = await ask(prefix, after, most)
            assert len(batch.accounts) <= most
            found += [account.email for account in batch.accounts]
            assert len(found) <= len(PEOPLE), "somebody came twice"
            if (after := batch.end) is None:
                return found


async def test_the_unverified_are_found_the_newest_first(store: Store) -> None:
    for days, verified in ((0, False), (1, False), (2, True), (9, False)):
        await stored_account(
            store, email=f"{days}@example.com", verified=verified, created_at=NOW - timedelta(days=days)
        )
    async with store.reading() as read:
        found = await read.account_search.unverified_since(NOW - timedelta(days=7), 10)
        assert [account.email for account in found] == ["0@example.com", "1@example.com"]
        assert len(await read.account_search.unverified_since(NOW - timedelta(days=7), 1)) == 1


INTO = "INSERT INTO accounts (id, name, email, role, verified, created_at, updated_at, photo, epoch)"
MANY = {
    "sqlite": f"""{INTO}
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        SELECT 'n' || i, 'Name ' || i, 'n' || i || '@example.com', 'user', i % 100 > 0,
            '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 'default.png', 0 FROM n""",
    "postgresql": f"""{INTO}
        SELECT 'n' || i, 'Name ' || i, 'n' || i || '@example.com', 'user', i % 100 > 0, now(), now(), 'default.png', 0
            FROM generate_series(1, 20000) AS i""",
}
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
EMAILS = {"sqlite": "sqlite_autoindex_accounts", "postgresql": "accounts_by_email"}
NAMES = dict.fromkeys(EXPLAIN, "accounts_by_name")
ASKED = [
    (BY_EMAIL, email_page("n1", ("n11", "n"), 50), EMAILS),
    (BY_NAME, name_page("n1", ("n11", "n"), 50), NAMES),
    (UNVERIFIED_SINCE, {"since": NOW - timedelta(days=400), "most": 50}, dict.fromkeys(EXPLAIN, "accounts_unverified")),
]


async def test_o41_a_search_reads_by_an_index_and_sorts_nothing(world: World) -> None:
    dialect = world.engines.dialect
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text(MANY[dialect]))
        await connection.execute(text("ANALYZE accounts"))
        for prepared, given, index in ASKED:
            plan = await explained(connection, EXPLAIN[dialect], prepared, given)
            assert index[dialect] in plan
            assert [each for each in ("Seq Scan", "Sort", "TEMP B-TREE") if each in plan] == [], plan


async def test_o41_the_last_of_many_cost_what_the_first_cost(racing_world: World) -> None:
    """O41: an index that is read from its beginning is one, too; so count the blocks."""
    async with racing_world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text(MANY["postgresql"]))
        await connection.execute(text("ANALYZE accounts"))
        for page, prepared in ((email_page, BY_EMAIL), (name_page, BY_NAME)):
            for prefix in ("n1", "n9999", "name 9999", "zoe"):
                plan = await explained(connection, "EXPLAIN (ANALYZE, BUFFERS)", prepared, page(prefix, None, 50))
                assert sum(map(int, BLOCKS.findall(plan.splitlines()[1]))) < MOST_BLOCKS, plan


BLOCKS = re.compile(r"\b(?:hit|read)=(\d+)")
MOST_BLOCKS = 60  # the index from top to bottom, and a block of the table for each of 50 rows


async def explained(connection: AsyncConnection, explain: str, prepared: Prepared, given: dict[str, Any]) -> str:
    """How the database reads this, in its own words."""
    whole = prepared.statement.params(given).compile(  # type: ignore[attr-defined]
        dialect=connection.dialect, compile_kwargs={"literal_binds": True}
    )
    rows = await connection.exec_driver_sql(f"{explain} {whole}".replace("%%", "%"))
    return "\n".join(str(row[-1]) for row in rows)


CURSORS = [Position(Order.EMAIL, ("ada@example.com", "an id")), Position(Order.NAME, ("É \u202e\n'", "id"))]


@pytest.mark.parametrize("position", CURSORS, ids=["email", "name"])
def test_o40_a_cursor_is_read_as_it_was_written(position: Position) -> None:
    assert Position.of_cursor(position.to_cursor()) == position


@pytest.mark.parametrize(
    "cursor", ["", "é", "AAAA", "W10=", "WyJuYW1lIiwgIlx1MDAwMCIsICJhIl0=", "x" * 4_000, "[]", "bnVsbA=="]
)
def test_o40_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(NotACursor):
        Position.of_cursor(cursor)
