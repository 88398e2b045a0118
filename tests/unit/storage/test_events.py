"""`model.events.Events`: kept as a row, and told as a line of the log once the row is there for good."""

import json
from contextlib import suppress

import httpx
from sqlalchemy import RowMapping, select
from structlog.testing import capture_logs

from tests.harness.world import World
from tests.unit.storage import NOW, stored_account
from vestibule.model.events import Event, EventKind
from vestibule.storage.sql.schema import events


async def test_an_event_is_a_row_and_a_line(world: World) -> None:
    account = await stored_account(world.env.store)
    ended = Event(NOW, EventKind.SESSION_ENDED, account.id, "a-session", "192.0.2.7", {"reason": "signed_out"})
    with capture_logs() as lines:
        async with world.env.store.transaction() as tx:
            await tx.events.record(ended)
            assert lines == []
    told = {"account_id": account.id, "session_id": "a-session", "network_address": "192.0.2.7"}
    assert lines == [{"event": "session_ended", "log_level": "info", "reason": "signed_out", **told}]
    assert [row["detail"] for row in await _rows(world)] == ['{"reason": "signed_out"}']


async def test_what_was_rolled_back_is_not_told(world: World) -> None:
    with capture_logs() as lines, suppress(ZeroDivisionError):
        async with world.env.store.transaction() as tx:
            await tx.events.record(Event(NOW, EventKind.REGISTERED))
            raise ZeroDivisionError
    assert lines == []
    assert await _rows(world) == []


async def test_none_is_no_event(world: World) -> None:
    async with world.env.store.transaction() as tx:
        await tx.events.record()
    assert await _rows(world) == []


async def test_every_session_that_ends_is_told_with_its_reason(world: World) -> None:
    await world.register()
    here, there, third = [await world.sign_in() for _ in range(3)]
    sessions = [(await client.get("/api/auth/verify")).headers["vestibule-session"] for client in (here, there, third)]
    with capture_logs() as lines:
        await here.get("/api/auth/logout")
        await there.delete("/api/users/me/sessions")
        await _change_password(there)
    told = [(line["session_id"], line["reason"]) for line in lines if line["event"] == "session_ended"]
    reasons = ["signed_out", "signed_out_elsewhere", "password_changed"]
    assert told == list(zip([sessions[0], sessions[2], sessions[1]], reasons, strict=True))
    kept = [
        {"reason": json.loads(row["detail"])["reason"]} for row in await _rows(world) if row["kind"] == "session_ended"
    ]
    assert kept == [{"reason": reason} for reason in reasons]


async def _change_password(client: httpx.AsyncClient) -> None:
    body = {"currentPassword": "correct horse", "password": "battery staple", "passwordConfirm": "battery staple"}
    assert (await client.patch("/api/users/me/password", json=body)).status_code == 200


async def _rows(world: World) -> list[RowMapping]:
    async with world.engines.sqlalchemy_reading() as connection:
        return list((await connection.execute(select(events).order_by(events.c.sequence))).mappings())


async def test_what_happened_to_an_account_is_told_the_latest_first(world: World) -> None:
    ada = await stored_account(world.env.store)
    grace = await stored_account(world.env.store, email="grace@example.com")
    told = [Event(NOW, kind, ada.id, "a-session", "192.0.2.7", {"n": kind}) for kind in EventKind]
    async with world.env.store.transaction() as tx:
        await tx.events.record(Event(NOW, EventKind.REGISTERED, grace.id), *told)
    async with world.env.store.reading() as read:
        assert await read.events.of_account(ada.id, 100) == told[::-1]
        assert await read.events.of_account(ada.id, 2) == told[:-3:-1]
