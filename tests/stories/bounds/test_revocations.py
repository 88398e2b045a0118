"""A long record of revocations: what is over is not read, and what stands is read a little at a time."""

import asyncio
from datetime import datetime, timedelta

import pytest

from tests.harness.world import World
from tests.stories.bounds import count, fill, number_as_id, numbers
from vestibule.flows.follow_revocations import purge_old_revocations, read_whole_backlog
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.protocol.revocations import Revoked
from vestibule.state.revocation_set import RevocationSet
from vestibule.storage.sql.revocations import SqlRevocations
from vestibule.storage.sql.schema import revocations

MANY = 10_000
AT_ONCE = 250  # rows: what the event loop may be held for


async def record(world: World, many: int, life: timedelta, kind: RevocationKind = RevocationKind.SESSION) -> None:
    n, at = numbers(many), world.clock.now()
    subject = number_as_id(n)
    row = {"at": at, "kind": kind.value, "subject": subject, "purge_at": at + life}
    await fill(world, revocations, many, row, n)


async def start(world: World) -> RevocationSet:
    """What a process knows that begins now."""
    known = RevocationSet(staleness_seconds=5)
    object.__setattr__(world.env, "revocations", known)
    await read_whole_backlog(world.env)
    return known


async def test_n4_what_is_over_is_not_read_at_the_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    after = SqlRevocations.after

    async def counted(self: SqlRevocations, sequence: int, since: datetime, most: int) -> list[Revocation]:
        rows = await after(self, sequence, since, most)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(SqlRevocations, "after", counted)
    await record(world, MANY, timedelta(minutes=16))
    world.clock.advance(hours=1)
    await record(world, 3, timedelta(minutes=16))
    known = await start(world)
    assert (len(known), sum(read)) == (3, 3)


async def test_n4_what_stands_is_read_in_ranges_and_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """N4: a little at a time, and others have their turn after each of them."""
    sizes, turns = list[int](), list[int]()
    add = RevocationSet.add

    def noted(self: RevocationSet, backlog: list[Revocation], sent_at: float) -> list[Revocation]:
        sizes.append(len(backlog))
        asyncio.get_running_loop().call_soon(turns.append, len(sizes))
        return add(self, backlog, sent_at)

    monkeypatch.setattr(RevocationSet, "add", noted)
    await record(world, MANY, timedelta(minutes=16))  # all over in the same instant
    known = await start(world)
    assert len(known) == MANY
    assert max(sizes) <= AT_ONCE
    assert turns == list(range(1, len(sizes) + 1))
    await read_whole_backlog(world.env)
    assert sizes.count(AT_ONCE) == MANY // AT_ONCE, "read once, then counted"


async def test_n4_a_chosen_language_is_not_kept_as_a_log_out_is(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    for language in ("de", "fr", "es"):
        answer = await browser.post("/language", data={"language": language}, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 303
    assert await count(world, revocations) > 0
    world.clock.advance(minutes=6)
    known = await start(world)
    assert known.overlap.count == 0


async def test_n4_what_is_over_goes_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batches, purge = list[int](), SqlRevocations.purge

    async def noted(of: SqlRevocations, now: datetime, most: int) -> int:
        batches.append(await purge(of, now, most))
        return batches[-1]

    monkeypatch.setattr(SqlRevocations, "purge", noted)
    await record(world, 1_200, timedelta(minutes=16))
    world.clock.advance(days=2)
    assert await purge_old_revocations(world.env) == 1_199
    assert batches == [500, 500, 199]
    assert await count(world, revocations, revocations.c.subject != "") == 0


def test_n4_what_is_over_leaves_memory_a_little_at_a_time() -> None:
    revoked = Revoked()
    for number in range(25_000):
        revoked.end_session(str(number), until=10.0)
    revoked.end_account("a", 5, until=10.0)
    assert [len(revoked.purge(100.0)) for _ in range(7)] == [5_000] * 5 + [1, 0]
