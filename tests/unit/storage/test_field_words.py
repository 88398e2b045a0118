"""Migration 0015: every row of a filled database is still there, under the names of today, on both databases."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Boolean, Column, Connection, DateTime, Integer, MetaData, Table, insert, select

from tests.harness import backends
from tests.unit.storage import NOW
from tests.unit.storage.test_whose_account import nothing_on
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.one_time_tokens import Purpose
from vestibule.model.sessions import EndReason
from vestibule.storage.sql import migrate as migrations
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.schema import metadata

ROWS = 8
REFUSED = '{"kind": "verify_address", "fault": "550 address_changed"}'
TABLES = {"tallies": "rate_counters", "guesses": "login_attempts"}
COLUMNS = {
    "accounts": {"address": "email"},
    "one_time_tokens": {"address": "email"},
    "letters": {"address": "email"},
    "guesses": {"budget": "counter"},
    "revocations": {"forget_at": "purge_at"},
}
EMAIL = {
    "verify_address": "verify_email",
    "confirm_new_address": "confirm_new_email",
    "address_changed": "email_changed",
    "address_taken": "email_taken",
    "address_verified": "email_verified",
    "address_taken_back": "email_taken_back",
    "change_address": "change_email",
    "undo_address_change": "undo_email_change",
    "service_added": "service_created",
    "service_removed": "service_revoked",
}
# The values of 0014, in turn over the rows; what has no new name stays.
VALUES: dict[tuple[str, str], tuple[str | None, ...]] = {
    ("one_time_tokens", "purpose"): ("verify_address", "reset_password", "change_address", "undo_address_change"),
    ("letters", "kind"): ("verify_address", "confirm_new_address", "address_changed", "address_taken", "new_device"),
    ("sessions", "end_reason"): (None, "address_changed", "signed_out"),
    ("events", "kind"): (
        "session_ended",
        "letter_refused",
        "address_verified",
        "address_changed",
        "address_taken_back",
        "service_added",
        "service_removed",
        "signed_in",
    ),
    ("events", "detail"): (
        '{"reason": "address_changed"}',
        REFUSED,
        *("{}",) * 5,
        '{"kind": "verify_address"}',
    ),
    ("signing_keys", "state"): ("next",),
}
DETAILS = {
    '{"reason": "address_changed"}': '{"reason": "email_changed"}',
    REFUSED: '{"kind": "verify_email", "fault": "550 address_changed"}',
}


def to_0014(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0014")


def value(column: Column[Any], number: int, sqlite: bool) -> Any:
    """Something for a column; another one in each row."""
    given = VALUES.get((column.table.name, column.name))
    if given:
        return given[number % len(given)]
    if isinstance(column.type, DateTime):
        return NOW.replace(tzinfo=None) if sqlite else NOW
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, Integer):
        return number + 1
    return str(number) if column.name in {"id", "account_id"} else f"{column.name[:6]}{number}"


def fill(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    to_0014(connection)
    then, sqlite = tables(connection), connection.dialect.name == "sqlite"
    for table in then.sorted_tables:
        rows = [{c.name: value(c, number, sqlite) for c in table.c} for number in range(ROWS)]
        connection.execute(insert(table), rows)
    return {table.name: list(rows_of(connection, table)) for table in then.sorted_tables}


def tables(connection: Connection) -> MetaData:
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name != "vestibule_schema")
    return found


def rows_of(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    order = list(table.primary_key)[-1]
    return (dict(row) for row in connection.execute(select(table).order_by(order)).mappings())


ADDED_TO_SESSIONS = ("amr", "authenticated_at", "client_id", "scope", "resource", "parent_id", "actor_id", "acted_at")
ADDED_SINCE: dict[str, dict[str, None]] = {
    "accounts": {"disabled_reason": None, "roles": None},
    "events": {"actor_id": None},
    "one_time_tokens": {"return_to": None},
    "sessions": dict.fromkeys(ADDED_TO_SESSIONS),
}
"""Columns of later migrations, in which old rows have nothing."""


def today(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row as 0015 has it, and later columns."""
    names = COLUMNS.get(table, {})
    renamed = {names.get(name, name): said(table, name, content) for name, content in row.items()}
    return renamed | ADDED_SINCE.get(TABLES.get(table, table), {})


def said(table: str, name: str, content: datetime | str | None) -> Any:
    if (table, name) == ("events", "detail"):
        return DETAILS.get(str(content), content)
    return EMAIL.get(str(content), content) if (table, name) in VALUES else content


@pytest.mark.parametrize("kind", backends.ALL)
async def test_every_row_is_there_under_the_names_of_today(kind: str, tmp_path: Path) -> None:
    async with nothing_on(kind, tmp_path) as engines:
        async with engines.sqlalchemy_transaction(seconds=None) as connection:
            before = await connection.run_sync(fill)
        await migrate(engines)
        async with engines.sqlalchemy_transaction() as connection:
            now = await connection.run_sync(tables)
            after = {
                table.name: await connection.run_sync(lambda there, its=table: list(rows_of(there, its)))
                for table in now.sorted_tables
            }
    kept = {TABLES.get(name, name): [today(name, row) for row in rows] for name, rows in before.items()}
    assert {name: rows for name, rows in after.items() if rows} == kept
    assert set(after) == set(metadata.tables)
    assert all(len(rows) == ROWS for rows in kept.values())


def test_no_value_of_today_says_address() -> None:
    words = [*EventKind, *LetterKind, *Purpose, *EndReason]
    assert [word for word in words if "address" in word] == []
