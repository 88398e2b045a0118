"""Cleaning up, on both databases: what has long been over goes, in batches, and nothing that still counts."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select
from structlog.testing import capture_logs

from tests.harness.backends import Backend
from tests.harness.servers import wait_until
from tests.harness.world import POLICY, World, world_on
from tests.unit.storage import stored_account
from vestibule.crypto.entropy import new_id
from vestibule.flows.clean_up import clean_up
from vestibule.model.clock import MOST_APART
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.limits import Limit
from vestibule.model.one_time_tokens import Purpose, issue
from vestibule.model.passkeys import Ceremony
from vestibule.model.retention import Retention
from vestibule.storage.sql.login_attempts import SqlLoginAttempts
from vestibule.storage.sql.schema import (
    events,
    known_devices,
    letters,
    login_attempts,
    one_time_tokens,
    rate_counters,
    sessions,
)
from vestibule.wiring.background import clean_up_repeatedly

NOTHING = dict.fromkeys(
    (
        "sessions",
        "one_time_tokens",
        "letters",
        "known_devices",
        "login_attempts",
        "pending_sign_ins",
        "rate_counters",
        "ceremonies",
        "factor_resets",
        "events",
        "unverified_accounts",
    ),
    0,
)
SIGN_IN = {"email": "ada@example.com", "password": "correct horse"}
MANY = 1201


async def count(world: World, table: Table) -> int:
    async with world.engines.sqlalchemy_reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def sign_in(world: World, **cookies: str) -> Any:
    browser = await world.client()
    browser.cookies.update(cookies)
    answer = await browser.post("/api/auth/login", json=SIGN_IN)
    assert answer.status_code == 200, answer.text
    return browser


async def test_where_nothing_is_over_nothing_goes(world: World) -> None:
    await world.register()
    await sign_in(world)
    assert await clean_up(world.env) == NOTHING


async def test_an_answered_question_goes_once_no_clock_takes_another_answer(world: World) -> None:
    ends_at = world.clock.now() + timedelta(minutes=5)
    async with world.env.store.transaction() as tx:
        await tx.ceremonies.spend(Ceremony(b"a" * 32, ends_at))
    world.clock.advance(seconds=(timedelta(minutes=5) + 2 * MOST_APART).total_seconds())
    assert await clean_up(world.env) == NOTHING
    world.clock.advance(microseconds=1)
    assert await clean_up(world.env) == NOTHING | {"ceremonies": 1}


async def test_a_session_goes_so_long_after_the_last_moment_it_could_have_lived_to(world: World) -> None:
    await world.register()
    browser = await sign_in(world)
    await browser.post("/api/auth/logout")
    kept = POLICY.sessions.absolute + Retention().sessions
    world.clock.advance(days=kept.days)
    await sign_in(world)
    assert (await clean_up(world.env))["sessions"] == 0
    world.clock.advance(microseconds=1)
    assert (await clean_up(world.env))["sessions"] == 1
    assert await count(world, sessions) == 1


async def test_who_is_signed_in_stays_so(world: World) -> None:
    await world.register()
    browser = await sign_in(world)
    async with world_on(world.backend, replace(POLICY, retention=Retention(sessions=timedelta(days=1)))) as other:
        for _ in range(29):
            world.clock.advance(minutes=59)
            other.clock.advance(minutes=59)
            assert (await browser.post("/api/auth/refresh")).status_code == 200
            assert (await clean_up(other.env))["sessions"] == 0


async def test_a_token_goes_a_day_after_it_expired(world: World) -> None:
    ada, now = await stored_account(world.env.store), world.clock.now()
    async with world.env.store.transaction() as tx:
        await tx.one_time_tokens.replace(issue("0" * 64, ada, Purpose.RESET_PASSWORD, now))
        await tx.one_time_tokens.replace(issue("1" * 64, ada, Purpose.VERIFY_EMAIL, now))
    world.clock.advance(days=1, minutes=10)
    assert (await clean_up(world.env))["one_time_tokens"] == 0
    world.clock.advance(microseconds=1)
    assert (await clean_up(world.env))["one_time_tokens"] == 1
    assert await count(world, one_time_tokens) == 1


async def test_letters_that_are_done_go_and_those_that_wait_stay(world: World) -> None:
    ada, now = await stored_account(world.env.store), world.clock.now()
    sent, refused, waiting = (QueuedLetter(new_id(), LetterKind.VERIFY_EMAIL, now, ada.id) for _ in range(3))
    async with world.env.store.transaction() as tx:
        for letter in (sent, refused, waiting):
            await tx.letters.queue(letter)
        await tx.letters.settle(sent, now, ada.id, sent=True)
        await tx.letters.refuse(refused, now, "550 no such mailbox")
    world.clock.advance(days=30)
    assert (await clean_up(world.env))["letters"] == 0
    world.clock.advance(microseconds=1)
    assert (await clean_up(world.env))["letters"] == 2
    async with world.engines.sqlalchemy_reading() as connection:
        assert (await connection.execute(select(letters.c.id))).scalars().all() == [waiting.id]


async def test_devices_go_but_for_the_last_that_an_account_was_seen_with(world: World) -> None:
    ada = await stored_account(world.env.store)
    grace = await stored_account(world.env.store, email="grace@example.com")
    async with world.env.store.transaction() as tx:
        await tx.known_devices.add(ada.id, "old", world.clock.now(), 1)
        await tx.known_devices.add(grace.id, "only", world.clock.now(), 1)
    world.clock.advance(days=1)
    async with world.env.store.transaction() as tx:
        await tx.known_devices.add(ada.id, "last", world.clock.now(), 2)
    world.clock.advance(days=800)
    assert (await clean_up(world.env))["known_devices"] == 1
    async with world.env.store.reading() as read:
        assert await read.known_devices.place(ada.id, ["old"]) is None
        assert await read.known_devices.place(ada.id, ["last"]) == 2
        assert await read.known_devices.places(grace.id)


async def test_attempts_at_nobody_go_in_batches_after_a_month(world: World) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        old = {"failures": 1, "in_all": 1, "last_at": world.clock.now()}
        await connection.execute(
            insert(login_attempts), [{"counter": f"others:{number}", **old} for number in range(MANY)]
        )
    sizes: list[int] = []
    purge = SqlLoginAttempts.purge

    async def counted(self: SqlLoginAttempts, before: datetime, most: int) -> int:
        sizes.append(await purge(self, before, most))
        return sizes[-1]

    world.clock.advance(days=30)
    assert await clean_up(world.env) == NOTHING
    world.clock.advance(microseconds=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlLoginAttempts, "purge", counted)
        assert await clean_up(world.env) == NOTHING | {"login_attempts": MANY}
    assert sizes == [500, 500, MANY - 1000]


async def test_counts_that_are_over_go(world: World) -> None:
    async with world.env.store.transaction() as tx:
        for subject in range(MANY):
            await tx.rate_counters.take(Limit("a minute", 1, timedelta(minutes=1)), str(subject), world.clock.now())
        await tx.rate_counters.take(Limit("a day", 1, timedelta(days=1)), "ada", world.clock.now())
    world.clock.advance(minutes=1)
    assert await clean_up(world.env) == NOTHING | {"rate_counters": MANY}
    assert await count(world, rate_counters) == 1


async def test_all_is_kept_where_the_operator_says_so(backend: Backend) -> None:
    zero = timedelta(0)
    policy = replace(POLICY, events_kept=zero, retention=Retention(sessions=zero, letters=zero, devices=zero))
    async with world_on(backend, policy) as world:
        await world.register()
        await sign_in(world)
        await sign_in(world)
        await world.deliver()
        before = [await count(world, table) for table in (sessions, letters, known_devices, events)]
        world.clock.advance(days=9999)
        await clean_up(world.env)
        assert [await count(world, table) for table in (sessions, letters, known_devices, events)] == before


async def old_events(world: World) -> None:
    old = {"at": world.clock.now() - timedelta(days=400), "kind": "imported", "detail": "{}"}
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(insert(events), [old] * (MANY + 1))  # the newest of them keeps the numbers going


async def test_several_at_once_delete_each_thing_once(racing_world: World) -> None:
    await old_events(racing_world)
    deleted = await asyncio.gather(*(clean_up(racing_world.env) for _ in range(8)))
    deleted.append(await clean_up(racing_world.env))
    assert sum(one["events"] for one in deleted) == MANY
    assert await count(racing_world, events) == 1


async def test_a_server_keeps_clean_by_itself_and_says_what_it_deleted(world: World) -> None:
    await old_events(world)
    with capture_logs() as lines:
        cleaning = asyncio.create_task(clean_up_repeatedly(world.env, every=0))
        try:
            await asyncio.to_thread(wait_until, lambda: bool(lines), "the line that says so")
        finally:
            cleaning.cancel()
            await asyncio.gather(cleaning, return_exceptions=True)
    assert lines == [{"event": "cleaned_up", "log_level": "info", **NOTHING, "events": MANY, "revocations": 0}]
