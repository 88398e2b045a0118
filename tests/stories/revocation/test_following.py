"""One process following the record: late commits, a clock that stands still, a database that is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import httpx
import pytest
from sqlalchemy import text

from tests.harness.backends import Backend
from tests.harness.world import World, world_on
from vestibule.flows import follow_revocations
from vestibule.flows.follow_revocations import purge_old_revocations, read_new_backlog, read_whole_backlog
from vestibule.flows.identify import identify
from vestibule.model.errors import StoreUnavailable
from vestibule.model.letters import LetterKind
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.model.store import Ports, Store
from vestibule.storage.sql.revocations import SqlRevocations


def of_session(world: World, session_id: str) -> Revocation:
    now = world.clock.now()
    return Revocation(now, RevocationKind.SESSION, session_id, now + world.env.policy.revocation_memory)


def bearer_of(client: httpx.AsyncClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.cookies['access_token']}"}


@pytest.mark.parametrize("much", [1, 1_000])
async def test_a_transaction_held_open_across_other_revocations_is_not_missed(
    racing_world: World, much: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sequence trap: number 1 is taken first and committed last."""
    monkeypatch.setattr(follow_revocations, "_LONG_OVERLAP", much)
    env, committed, taken = racing_world.env, asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with env.store.transaction() as tx:
            await tx.revocations.append([of_session(racing_world, "slow")])
            taken.set()
            await committed.wait()

    held = asyncio.create_task(slow())
    await taken.wait()
    for number in range(3):
        async with env.store.transaction() as tx:
            await tx.revocations.append([of_session(racing_world, f"quick-{number}")])
        await read_new_backlog(env)
        await read_whole_backlog(env)
    assert len(env.revocations) == 3
    committed.set()
    await held
    await read_new_backlog(env)
    assert len(env.revocations) == 3, "a quick read begins after the last number and cannot see it"
    await read_whole_backlog(env)
    assert len(env.revocations) == 4


async def test_a_long_tail_is_not_read_again_as_long_as_it_is_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a start among a hundred thousand, each look would else hold everybody up for half a second."""
    monkeypatch.setattr(follow_revocations, "_LONG_OVERLAP", 10)
    begun: list[int] = []
    after = SqlRevocations.after

    async def noted(self: SqlRevocations, sequence: int, since: datetime, most: int) -> list[Revocation]:
        begun.append(sequence)
        return await after(self, sequence, since, most)

    monkeypatch.setattr(SqlRevocations, "after", noted)
    await _append(world, [f"old-{number}" for number in range(20)])
    for _ in range(3):
        await read_whole_backlog(world.env)
    assert begun == [0, 20, 20]
    await _append(world, ["new"])
    assert [revocation.subject for revocation in await read_whole_backlog(world.env)] == ["new"]
    assert len(world.env.revocations) == 21
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("DELETE FROM revocations WHERE sequence = 5"))
    await read_whole_backlog(world.env)
    assert begun[-2:] == [20, 0], "what is not as it was is read from the floor on"


async def _append(world: World, subjects: list[str]) -> None:
    async with world.env.store.transaction() as tx:
        await tx.revocations.append([of_session(world, subject) for subject in subjects])


async def test_what_another_process_wrote_refuses_here_after_the_next_look(backend: Backend) -> None:
    async with world_on(backend) as here, world_on(backend) as there:
        await here.register()
        client, elsewhere = await here.sign_in(), await there.client()
        bearer = bearer_of(client)
        assert (await elsewhere.get("/api/users/me", headers=bearer)).status_code == 200
        await client.post("/api/auth/logout")
        assert (await elsewhere.get("/api/users/me", headers=bearer)).status_code == 200, "it has not looked yet"
        await read_new_backlog(there.env)
        assert (await elsewhere.get("/api/users/me", headers=bearer)).status_code == 401


async def test_a_process_that_slept_asks_the_database_on_its_first_answer(backend: Backend) -> None:
    async with world_on(backend) as here, world_on(backend) as there:
        await here.register()
        client = await here.sign_in()
        bearer = bearer_of(client)
        asleep = await there.client()
        assert (await asleep.get("/api/users/me", headers=bearer)).status_code == 200
        await client.post("/api/auth/logout")
        there.clock.advance(seconds=5.1)
        answer = await asleep.get("/api/users/me", headers=bearer)
        assert answer.json()["code"] == "session_signed_out"


async def test_stale_and_without_a_database_it_answers_503(backend: Backend) -> None:
    async with world_on(backend) as world:
        await world.register()
        client = await world.sign_in()
        assert (await client.get("/api/users/me")).status_code == 200
        await world.take_database_away()
        assert (await client.get("/api/users/me")).status_code == 200, "fresh enough to be relied on"
        world.clock.advance(seconds=5.1)
        answer = await client.get("/api/users/me")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["access-control-allow-origin"]
        with pytest.raises(StoreUnavailable):
            await read_whole_backlog(world.env)


async def test_a_revoked_token_is_refused_even_without_a_database(backend: Backend) -> None:
    async with world_on(backend) as world:
        await world.register()
        client = await world.sign_in()
        bearer = bearer_of(client)
        await client.post("/api/auth/logout")
        await world.take_database_away()
        assert (await client.get("/api/users/me", headers=bearer)).status_code == 401


async def test_old_revocations_are_deleted_a_day_late(world: World) -> None:
    async with world.env.store.transaction() as tx:
        await tx.revocations.append([of_session(world, "s1"), of_session(world, "s2")])
    assert await purge_old_revocations(world.env) == 0
    world.clock.advance(hours=26)
    assert await purge_old_revocations(world.env) == 1
    assert await purge_old_revocations(world.env) == 0, "the newest keeps the numbers going"


class Gated:
    """The real store, whose readers are held back between their answer and what they do with it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.answered, self.go_on = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Ports]:
        async with self._store.reading() as read:
            yield read
        self.answered.set()
        await self.go_on.wait()


@pytest.mark.parametrize("notice", [False, True])
async def test_what_was_read_before_a_notice_is_not_remembered_after_it(world: World, notice: bool) -> None:
    """The fence. Without a notice the same look-up is remembered, so the test could fail."""
    await world.register()
    client = await world.sign_in()
    gate = Gated(world.env.store)
    looking_up = asyncio.create_task(identify(replace(world.env, store=gate), client.cookies["access_token"]))
    await gate.answered.wait()
    if notice:
        now = world.clock.now()
        changed = Revocation(now, RevocationKind.ACCOUNT_CHANGED, "somebody", now, sequence=1)
        world.env.apply_revocations([changed], world.clock.monotonic())
    gate.go_on.set()
    caller = await looking_up
    assert (world.env.memory.session(caller.session_id) is None) == notice


async def test_an_answer_from_memory_follows_a_change_of_the_account(world: World) -> None:
    await world.register()
    client = await world.sign_in()
    before = (await client.get("/api/users/me")).json()
    world.clock.advance(seconds=1)
    assert (await client.get("/api/users/me")).json() == before
    code = world.secret(LetterKind.VERIFY_EMAIL)
    assert (await client.get(f"/api/auth/verifyemail/{code}")).status_code == 200
    after = (await client.get("/api/users/me")).json()
    assert after["data"]["user"]["updatedAt"] > before["data"]["user"]["updatedAt"]
