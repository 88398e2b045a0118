"""Migration 0013: what older rows tell of whose account it is, on both databases; moved along, told to its owner."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, column, insert, select, table, update

from tests.conftest import not_to_be_had
from tests.harness import backends, servers
from tests.harness.backends import POSTGRESQL, SQLITE, postgresql_database
from tests.harness.world import World
from tests.unit.storage import NOW, an_account
from tests.unit.web.people import ada
from vestibule.crypto.entropy import new_id
from vestibule.model.accounts import Account, Role
from vestibule.storage.sql import engine
from vestibule.storage.sql import migrate as migrations
from vestibule.storage.sql.account_rows import to_row
from vestibule.storage.sql.database_copy import DatabaseCopy
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.schema import accounts, events, known_devices, sessions
from vestibule.storage.sql.store import SqlStore
from vestibule.storage.sql.timeouts import UNHURRIED

CHANGED = NOW + timedelta(days=3)
USED, IMPORTED = "used", "imported"
HERE = ("registered",)
# What an account is, which events it has, and what is known of it afterwards.
ROWS: dict[str, tuple[dict[str, Any], tuple[str, ...], set[str]]] = {
    "registered here": ({}, HERE, set()),
    "refused since": ({}, (*HERE, "sign_in_refused"), set()),
    "verified, from elsewhere": ({"verified": True, "provider": "google"}, (), set()),
    "from elsewhere": ({"provider": "google"}, HERE, {IMPORTED}),
    "no password": ({"password_hash": None}, HERE, {IMPORTED}),
    "an empty password": ({"password_hash": ""}, HERE, {IMPORTED}),
    "nobody knows how": ({}, (), {IMPORTED}),
    "in another epoch": ({"epoch": 1}, HERE, {USED}),
    "disabled": ({"disabled_at": NOW}, HERE, {USED}),
    "an admin": ({"role": Role.ADMIN}, HERE, {USED}),
    "signed in once": ({}, (*HERE, "signed_in"), {USED}),
    "disabled once": ({}, (*HERE, "account_disabled"), {USED}),
    "enabled once": ({}, (*HERE, "account_enabled"), {USED}),
    "with a session": ({}, HERE, {USED}),
    "with a device": ({}, HERE, {USED}),
    "all of it": ({"provider": "google", "epoch": 2}, ("signed_in",), {USED, IMPORTED}),
}


@asynccontextmanager
async def nothing_on(kind: str, folder: Path) -> AsyncIterator[Engines]:
    async with AsyncExitStack() as stack:
        address = f"sqlite:///{folder}/{new_id()}.sqlite3"
        if kind == POSTGRESQL:
            try:
                address = await stack.enter_async_context(postgresql_database())
            except servers.NotToBeHad as reason:
                not_to_be_had(reason)
        engines = engine.connect(address, timeouts=UNHURRIED)
        stack.push_async_callback(engines.close)
        yield engines


def to_0012(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0012")


def rows_before() -> dict[str, Account]:
    named = {what: f"{what.replace(' ', '.').replace(',', '')}@example.com" for what in ROWS}
    return {
        what: an_account(**{"email": named[what], "updated_at": CHANGED, **members})
        for what, (members, _, _) in ROWS.items()
    }


NEW = {"imported_at", "first_used_at", "registered_epoch", "disabled_reason", "roles"}
THEN = table(
    "accounts",
    *(column("address" if c.name == "email" else c.name, c.type) for c in accounts.c if c.name not in NEW),
)


def as_row_then(account: Account) -> dict[str, Any]:
    """As schema 0012 has it."""
    row = as_row(account)
    return row | {"address": row.pop("email")}


def as_row(account: Account) -> dict[str, Any]:
    return {name: value for name, value in to_row(account).items() if name not in NEW}


async def fill(engines: Engines, there: dict[str, Account]) -> None:
    session = {"id": new_id(), "account_id": there["with a session"].id, "user_agent": "", "network_address": ""}
    moments = ("created_at", "last_seen_at", "idle_expires_at", "expires_at", "issued_at")
    device: dict[str, Any] = {
        c.name: NOW if "_at" in c.name else 0 if c.name == "place" else "x" for c in known_devices.c if not c.nullable
    }
    async with engines.sqlalchemy_transaction(seconds=None) as connection:
        await connection.run_sync(to_0012)
        for what, account in there.items():
            await connection.execute(insert(THEN).values(as_row_then(account)))
            for kind in ROWS[what][1]:
                its = {"at": NOW, "kind": kind, "account_id": account.id, "detail": "{}"}
                await connection.execute(insert(events).values(its))
        counted = {"current": 1, "parent": 0, "base": 0, **dict.fromkeys(moments, NOW)}
        await connection.execute(insert(sessions).values({**session, **counted}))
        await connection.execute(insert(known_devices).values({**device, "account_id": there["with a device"].id}))


@pytest.mark.parametrize("kind", backends.ALL)
async def test_what_older_rows_tell(kind: str, tmp_path: Path) -> None:
    there = rows_before()
    async with nothing_on(kind, tmp_path) as engines:
        await fill(engines, there)
        await migrate(engines)
        async with SqlStore(engines).reading() as read:
            for what, account in there.items():
                known = ROWS[what][2]
                marks = {
                    "imported_at": CHANGED if IMPORTED in known else None,
                    "first_used_at": CHANGED if USED in known else None,
                }
                assert await read.accounts.get(account.id) == replace(account, **marks), what


@pytest.mark.parametrize(("source", "target"), [(SQLITE, POSTGRESQL), (POSTGRESQL, SQLITE), (SQLITE, SQLITE)])
async def test_it_is_carried_from_one_database_to_another(source: str, target: str, tmp_path: Path) -> None:
    marked = an_account(imported_at=NOW, first_used_at=NOW + timedelta(microseconds=1), registered_epoch=2, epoch=3)
    unmarked = an_account(email="grace@example.com")
    async with nothing_on(source, tmp_path) as here, nothing_on(target, tmp_path) as there:
        await migrate(here)
        await migrate(there)
        async with here.sqlalchemy_transaction() as connection:
            for account in (marked, unmarked):
                new = {name: getattr(account, name) for name in NEW} | {"roles": None}
                await connection.execute(insert(accounts).values(as_row(account) | new))
        await DatabaseCopy(here, there).run(lambda _: None)
        async with SqlStore(there).reading() as read:
            assert await read.accounts.get(marked.id) == marked
            assert await read.accounts.get(unmarked.id) == unmarked


async def test_everything_that_an_account_has_is_told_to_its_owner_but_the_hash(world: World) -> None:
    client = await ada(world)
    moments: dict[str, datetime] = {"imported_at": NOW, "registered_again_at": NOW + timedelta(seconds=1)}
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(update(accounts).values(**moments, registered_epoch=0))
        row = (await connection.execute(select(accounts))).one()._mapping
    told = (await client.get("/profile/data")).json()["account"]
    assert set(told) == {column.name for column in accounts.c} - {"password_hash"}
    for name in ("imported_at", "registered_again_at", "first_used_at"):
        assert row[name] is not None
        assert told[name] == row[name].isoformat()
