"""What a database error says when it is shown as Python shows it: nothing that was in a statement or a row."""

import traceback
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from tests.harness.world import World
from vestibule.model.clock import SystemClock
from vestibule.storage.sql.schema import accounts

CANARY = "canary"
_NOW = SystemClock().now()
ROW: dict[str, Any] = {
    "id": "canary-id",
    "name": "Canary Name",
    "email": "canary@example.com",
    "role": "user",
    "verified": False,
    "password_hash": "$2b$12$canary",
    "photo": "canary.png",
    "epoch": 0,
    "created_at": _NOW,
    "updated_at": _NOW,
}
TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER loud BEFORE UPDATE ON accounts BEGIN SELECT RAISE(ABORT, 'canary of a trigger'); END",
    ],
    "postgresql": [
        """CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the name is %', NEW.name USING DETAIL = NEW.address; END $$""",
        "CREATE TRIGGER loud BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION loud()",
    ],
}


async def _add(world: World, changed: Mapping[str, Any]) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(insert(accounts).values({**ROW, **changed}))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"id": "canary-other"},
        {"id": "canary-other", "email": "canary2@example.com", "name": None},
        {"id": "canary-other", "email": "canary2@example.com", "epoch": "canary-number"},
        {"id": "canary-other", "email": "canary2@example.com", "name": "canary " * 100},
        {"id": "canary-other", "email": "canary2@example.com", "name": "canary\0"},
        {"id": "canary-other", "email": "canary2@example.com", "name": "canary\ud800"},
        {"id": "canary-other", "email": "canary2@example.com", "created_at": "canary-time"},
    ],
    ids=["the same id", "the same email", "no name", "no number", "too long", "NUL", "a lone surrogate", "no time"],
)
async def test_l8_a_statement_that_fails_tells_no_value(world: World, changed: dict[str, Any]) -> None:
    await _add(world, {})
    error = await _failure(world, changed)
    if error is None:
        assert world.engines.dialect == "sqlite", "PostgreSQL takes none of these"
        return
    assert CANARY not in "".join(traceback.format_exception(error)).lower()
    assert CANARY not in repr(error).lower()


async def _failure(world: World, changed: Mapping[str, Any]) -> Exception | None:
    try:
        await _add(world, changed)
    except Exception as error:
        return error
    return None


async def test_l8_neither_a_trigger_nor_a_row_that_cannot_be_read_tells_a_value(world: World) -> None:
    await _add(world, {})
    async with world.engines.sqlalchemy_transaction() as connection:
        for statement in TRIGGERS[world.engines.dialect]:
            await connection.execute(text(statement))
    broken = {
        "UPDATE accounts SET name = 'x'": True,
        "SELECT CAST(name AS integer) FROM accounts": world.engines.dialect == "postgresql",
        "SELECT CAST(x'63616e617279ff' AS TEXT) AS name": world.engines.dialect == "sqlite",
    }
    for statement in (statement for statement, fails in broken.items() if fails):
        with pytest.raises(Exception) as caught:  # of the driver's choice
            async with world.engines.sqlalchemy_transaction() as connection:
                (await connection.execute(text(statement))).all()
        assert CANARY not in "".join(traceback.format_exception(caught.value)).lower().replace(statement.lower(), "")


async def test_l8_what_the_database_says_of_itself_stays(world: World) -> None:
    await _add(world, {})
    with pytest.raises(DBAPIError) as caught:
        await _add(world, {"id": "other"})
    assert "accounts" in str(caught.value)
    assert "unique" in str(caught.value).lower()
    with pytest.raises(DBAPIError, match="no_such_table"):
        async with world.engines.sqlalchemy_reading() as connection:
            await connection.execute(select(text("1 FROM no_such_table")))
