"""I4: one odd row stops no other: of each table, with everything that reads it."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import insert, select, text

from tests.harness.backends import Backend
from tests.harness.world import CHEAP, World, world_on
from vestibule.crypto.passwords import Hasher
from vestibule.crypto.seal import Seal
from vestibule.flows.clean_up import clean_up
from vestibule.flows.deliver import deliver_next
from vestibule.flows.follow_keys import ensure_next_keys, reread_keys
from vestibule.flows.follow_revocations import read_new_backlog, read_whole_backlog
from vestibule.flows.service_keys import list_service_keys
from vestibule.flows.watch_events import find_events
from vestibule.model.access_tokens import AccessToken
from vestibule.model.accounts import Account, Role
from vestibule.model.events import EventFilter, EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.signing_keys import KeyManager
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.schema import accounts, events, letters, revocations, service_keys

CANARY = "canary"
PASSWORD = "correct horse"
KEY_MANAGER = KeyManager(Seal("a secret of thirty-two characters"), "ES256", 2048)


@pytest.fixture(autouse=True)
def _not_said_yet() -> None:
    odd_rows._logged.clear()


async def spoil(world: World, statement: str, **values: Any) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        assert (await connection.execute(text(statement), values)).rowcount


async def sign_in_status(world: World, email: str) -> int:
    body = {"email": email, "password": PASSWORD}
    return (await (await world.client()).post("/api/auth/login", json=body)).status_code


async def two_people(world: World) -> None:
    now, made = world.clock.now(), Hasher(CHEAP).hash(PASSWORD)
    async with world.env.store.transaction() as tx:
        for name in ("odd", "ada"):
            await tx.accounts.add(Account(name, "Ada", f"{name}@example.com", Role.USER, True, now, now, made))


ACCOUNT = {
    "role": ("UPDATE accounts SET role = 'canary' WHERE id = 'odd'", False),
    "role empty": ("UPDATE accounts SET role = '' WHERE id = 'odd'", False),
    "epoch": ("UPDATE accounts SET epoch = 'canary' WHERE id = 'odd'", True),
    "name": ("UPDATE accounts SET name = x'63616e617279' WHERE id = 'odd'", True),
    "hash": ("UPDATE accounts SET password_hash = x'63616e617279' WHERE id = 'odd'", True),
    "created_at": ("UPDATE accounts SET created_at = 'canary' WHERE id = 'odd'", True),
    "disabled_at": ("UPDATE accounts SET disabled_at = 'canary' WHERE id = 'odd'", True),
}


@pytest.mark.parametrize(("statement", "loose"), ACCOUNT.values(), ids=ACCOUNT)
async def test_i4_an_odd_account_is_nobody_and_the_others_sign_in(world: World, statement: str, loose: bool) -> None:
    if loose and world.engines.dialect != "sqlite":
        return  # PostgreSQL stores nothing of the kind
    await two_people(world)
    signed_in = await world.sign_in("odd@example.com", PASSWORD)
    await spoil(world, statement)
    assert await sign_in_status(world, "odd@example.com") == 400
    assert await sign_in_status(world, "ada@example.com") == 200
    world.env.memory.drop_tokens()
    assert (await signed_in.get("/api/users/me")).status_code in {200, 401}
    assert (await signed_in.post("/api/auth/refresh")).status_code in {200, 403}
    await (await world.client()).post("/api/auth/forgotpassword", json={"email": "odd@example.com"})
    await world.deliver()


async def test_i4_an_unknown_language_is_none(world: World) -> None:
    await two_people(world)
    await spoil(world, "UPDATE accounts SET language = 'tlh' WHERE id = 'odd'")
    await (await world.client()).post("/api/auth/forgotpassword", json={"email": "odd@example.com"})
    await world.deliver()
    assert world.mailer.letters[-1].kind is LetterKind.RESET_PASSWORD


SESSION = {
    "end_reason": ("UPDATE sessions SET end_reason = 'canary', ended_at = created_at", False),
    "ended_at": ("UPDATE sessions SET ended_at = 'canary'", True),
    "expires_at": ("UPDATE sessions SET expires_at = 'canary', idle_expires_at = 'canary'", True),
    "counters": ("UPDATE sessions SET current = 'canary', base = 'canary'", True),
    "user_agent": ("UPDATE sessions SET user_agent = x'63616e617279'", True),
}


@pytest.mark.parametrize(("statement", "loose"), SESSION.values(), ids=SESSION)
async def test_i4_an_odd_session_is_over_and_left_out_of_the_list(world: World, statement: str, loose: bool) -> None:
    if loose and world.engines.dialect != "sqlite":
        return  # PostgreSQL stores nothing of the kind
    await two_people(world)
    odd = await world.sign_in("ada@example.com", PASSWORD)
    await spoil(world, statement)
    good = await world.sign_in("ada@example.com", PASSWORD)
    world.env.memory.drop_tokens()
    assert (await odd.get("/api/users/me")).status_code == 401
    assert (await odd.post("/api/auth/refresh")).status_code in {401, 403}
    listed = await good.get("/api/users/me/sessions")
    assert listed.status_code == 200
    assert (await good.get("/profile/security")).status_code == 200


LETTERS = {
    "kind": {"kind": CANARY},
    "detail": {"detail": "{canary"},
    "detail is a list": {"detail": '["canary"]'},
    "detail has a number": {"detail": '{"canary": 1}'},
    "detail is deep": {"detail": "[" * 100_000},
    "detail is no time": {"kind": "password_changed", "detail": '{"at": "canary"}'},
    "language": {"language": "tlh"},
    "email": {"email": "canary@example.com\nBcc: x", "account_id": "odd"},
}


@pytest.mark.parametrize("changed", LETTERS.values(), ids=LETTERS)
async def test_i4_an_odd_letter_stops_no_other(world: World, changed: dict[str, Any]) -> None:
    await two_people(world)
    now = world.clock.now()
    good = {"kind": "reset_password", "account_id": "ada", "attempts": 0, "detail": "{}", "asked_of": "ada", "epoch": 0}
    async with world.engines.sqlalchemy_transaction() as connection:
        for number in range(60):
            moments = {"created_at": now - timedelta(seconds=60 - number), "due_at": now - timedelta(seconds=60)}
            row = {**good, "account_id": "odd", **changed, **moments, "id": f"odd-{number}"}
            await connection.execute(insert(letters).values(row))
        await connection.execute(insert(letters).values(**good, id="good", created_at=now, due_at=now))
    with structlog.testing.capture_logs() as said:
        for _ in range(200):
            await deliver_next(world.env)
            if world.mailer.letters and world.mailer.letters[-1].to == "ada@example.com":
                break
        async with world.env.store.reading() as read:
            await read.letters.unsettled(100)
            await read.letters.counts()
    assert world.mailer.letters[-1].to == "ada@example.com"
    assert CANARY not in json.dumps(said, default=str)


REVOCATION = {
    "kind": "UPDATE revocations SET kind = 'canary'",
    "an account's without a moment": "UPDATE revocations SET kind = 'account', not_before = NULL",
    "purge_at": "UPDATE revocations SET kind = 'account', purge_at = 'canary'",
    "at": "UPDATE revocations SET kind = 'account', at = 'canary', not_before = 'canary'",
}


@pytest.mark.parametrize("statement", REVOCATION.values(), ids=REVOCATION)
async def test_i4_an_odd_revocation_revokes_all_it_may_be_about_and_the_others_are_read(
    world: World, statement: str
) -> None:
    if statement.count("canary") and "kind = 'canary'" not in statement and world.engines.dialect != "sqlite":
        return  # PostgreSQL stores nothing of the kind
    now = world.clock.now()
    row = {"at": now, "kind": "session", "purge_at": now + timedelta(hours=1)}
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(insert(revocations).values(**row, subject="odd"))
        await connection.execute(text(statement))
        await connection.execute(insert(revocations).values(**row, subject="good"))

    def refused(session: str, account: str) -> bool:
        issued = int(now.timestamp()) - 2
        token = AccessToken("jti", account, session, Role.USER, issued, issued + 3600)
        return world.env.revocations.refuses(token)

    await read_whole_backlog(world.env)
    await read_new_backlog(world.env)
    assert refused("good", "x")
    assert refused("x", "odd")
    assert not refused("x", "y")
    assert world.env.revocations.trusted(world.clock.monotonic())


async def test_i4_an_odd_event_is_left_out_of_every_list(world: World) -> None:
    await two_people(world)
    now = world.clock.now()
    details = ("{}", "{canary", "[]", '{"a": 1}', "[" * 100_000)
    async with world.engines.sqlalchemy_transaction() as connection:
        for kind in ("canary", "signed_in"):
            for detail in details:
                await connection.execute(insert(events).values(at=now, kind=kind, account_id="ada", detail=detail))
    found = await find_events(world.env, EventFilter(account_id="ada"), 100)
    assert [event.kind for _, event in found] == [EventKind.SIGNED_IN] * len(details)
    assert await find_events(world.env, EventFilter(account_id="ada", after=0), 1) == found[:1], "odd ones stop nobody"
    browser = await world.sign_in("ada@example.com", PASSWORD)
    assert (await browser.get("/profile/security")).status_code == 200
    assert (await browser.get("/profile")).status_code == 200
    await clean_up(world.env)


KEYS = {
    "a use that nobody knows": "UPDATE signing_keys SET use = 'canary' WHERE state = 'next' AND use = 'access'",
    "a state that nobody knows": "UPDATE signing_keys SET state = 'canary' WHERE state = 'next' AND use = 'access'",
    "a current one of another state": "UPDATE signing_keys SET state = 'c' WHERE state = 'current' AND use = 'access'",
    "a damaged next one": "UPDATE signing_keys SET sealed_private = 'canary' WHERE state = 'next' AND use = 'access'",
    "a damaged current one": "UPDATE signing_keys SET sealed_private = 'x' WHERE state = 'current' AND use = 'access'",
    "nothing in it": "UPDATE signing_keys SET sealed_private = '' WHERE state = 'current' AND use = 'refresh'",
}


@pytest.mark.parametrize("statement", KEYS.values(), ids=KEYS)
async def test_i4_an_odd_signing_key_stops_neither_start_nor_sign_in(backend: Backend, statement: str) -> None:
    async with world_on(backend, key_manager=KEY_MANAGER) as world:
        await ensure_next_keys(world.env)
        await reread_keys(world.env, world.env.store)
        await spoil(world, statement)
        await reread_keys(world.env, world.env.store)
        await two_people(world)
        await world.sign_in("ada@example.com", PASSWORD)
    async with world_on(backend, key_manager=KEY_MANAGER, clock=world.clock) as again:
        browser = await again.sign_in("ada@example.com", PASSWORD)
        assert (await browser.get("/api/users/me")).status_code == 200
        assert (await browser.post("/api/auth/refresh")).status_code == 200
        await ensure_next_keys(again.env)
        await reread_keys(again.env, again.env.store)


async def test_i4_an_odd_service_key_lets_nobody_in_and_hides_no_other(world: World) -> None:
    if world.engines.dialect != "sqlite":
        return  # PostgreSQL stores nothing of the kind
    now = world.clock.now()
    async with world.engines.sqlalchemy_transaction() as connection:
        for name in ("good", "odd"):
            await connection.execute(insert(service_keys).values(name=name, digest=name, created_at=now))
        await connection.execute(text("UPDATE service_keys SET created_at = 'canary' WHERE name = 'odd'"))
    assert [key.name for key in await list_service_keys(world.env)] == ["good"]
    async with world.env.store.reading() as read:
        assert await read.service_keys.with_digest("odd") is None


async def test_i4_a_row_is_told_once_by_its_id_and_never_by_what_is_in_it(world: World) -> None:
    await two_people(world)
    await spoil(world, "UPDATE accounts SET role = 'canary-role', name = 'canary-name' WHERE id = 'odd'")
    with structlog.testing.capture_logs() as said:
        for _ in range(3):
            assert await sign_in_status(world, "odd@example.com") == 400
    told = [line for line in said if line["event"] == "row_left_out"]
    assert told == [
        {"event": "row_left_out", "log_level": "warning", "table": "accounts", "row": "odd", "column": "role"}
    ]


MOMENTS = {
    "postgresql": [
        "infinity",
        "-infinity",
        "0044-03-15 12:00:00+00 BC",
        "9999-12-31 23:59:59+00",
        "0001-01-01 00:00:00+00 BC",
    ],
    "sqlite": [
        "infinity",
        "0000-00-00 00:00:00.000000",
        "-0044-03-15",
        "9999-12-31 23:59:59.000000",
        "99999-01-01",
        "1e400",
    ],
}
COLUMNS_OF_MOMENTS = [
    ("accounts", "created_at", "id = 'odd'"),
    ("accounts", "registered_again_at", "id = 'odd'"),
    ("sessions", "created_at", "account_id = 'odd'"),
    ("sessions", "last_seen_at", "account_id = 'odd'"),
    ("events", "at", "account_id = 'odd'"),
    ("letters", "created_at", "account_id = 'odd'"),
    ("one_time_tokens", "expires_at", "account_id = 'odd'"),
]


@pytest.mark.parametrize(("table", "column", "whose"), COLUMNS_OF_MOMENTS)
async def test_i8_a_moment_that_is_none_stops_nobody_else(world: World, table: str, column: str, whose: str) -> None:
    """I8: years BC, infinity, the year 0 and the end of time, in any table."""
    await two_people(world)
    for name in ("odd", "ada"):
        assert await sign_in_status(world, f"{name}@example.com") == 200
        await (await world.client()).post("/api/auth/forgotpassword", json={"email": f"{name}@example.com"})
        await deliver_next(world.env)
        await (await world.client()).post("/api/auth/forgotpassword", json={"email": f"{name}@example.com"})
    dialect, odd = world.engines.dialect, await world.sign_in("odd@example.com", PASSWORD)
    async with world.engines.sqlalchemy_transaction() as connection:  # which lets nobody change an event
        await connection.exec_driver_sql(f"DROP TRIGGER events_not_changed{' ON events' * (dialect == 'postgresql')}")
    for moment in MOMENTS[dialect]:
        new = f"'{moment}'" if dialect == "sqlite" else f"TIMESTAMPTZ '{moment}'"
        async with world.engines.sqlalchemy_transaction() as connection:
            await connection.exec_driver_sql(f'UPDATE {table} SET "{column}" = {new} WHERE {whose}')
        await sign_in_status(world, "odd@example.com")
        browser = await world.sign_in("ada@example.com", PASSWORD)
        for path in ("/api/users/me", "/api/users/me/sessions", "/profile/security", "/profile/data"):
            assert (await browser.get(path)).status_code == 200, (moment, path)
        assert (await browser.post("/api/auth/refresh")).status_code == 200
        world.env.memory.drop_tokens()
        for request in (odd.get("/api/users/me"), odd.get("/api/users/me/sessions"), odd.post("/api/auth/refresh")):
            assert (await request).status_code < 500, moment
        assert len(await find_events(world.env, EventFilter(), 1000)) > 1
        await reread_keys(world.env, world.env.store)
        await world.deliver()
        await clean_up(world.env)


@pytest.mark.parametrize(
    ("moment", "is_one"),
    [
        ("9000-12-31 23:59:59.000000", True),
        ("9001-01-01 00:00:00.000000", False),
        ("9999-12-31 23:59:59.999999", False),
    ],
)
async def test_i8_a_century_can_be_added_to_every_moment(world: World, moment: str, is_one: bool) -> None:
    """I8: what lies after the last year that this is true of is read as text, as odd as any other."""
    await two_people(world)
    new = f"'{moment}'" if world.engines.dialect == "sqlite" else f"TIMESTAMPTZ '{moment}+00'"
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.exec_driver_sql(f"UPDATE accounts SET updated_at = {new} WHERE id = 'odd'")
        read = await connection.scalar(select(accounts.c.updated_at).where(accounts.c.id == "odd"))
    assert isinstance(read, datetime) == is_one
