"""A refresh within the grace, from another network and by another program: maybe a thief right behind the owner."""

import httpx
import pytest

from tests.harness.world import BASE, FRONT_END, World
from vestibule.model.events import EventFilter, EventKind
from vestibule.model.letters import LetterKind

HOME, CAFE = "192.0.2.7", "203.0.113.9"
SESSIONS = 10
FIREFOX, CURL = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "curl/8.14"


def at(world: World, network: str, program: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(world.app, client=(network, 4711))
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers={"Origin": FRONT_END, "User-Agent": program})


async def shared(world: World) -> int:
    """How many events tell of it."""
    async with world.env.store.reading() as read:
        found = await read.events.find(EventFilter(kinds=(EventKind.SESSION_SHARED,)), 100)
    return len(found)


@pytest.mark.parametrize(
    ("network", "program", "told"),
    [(CAFE, CURL, 1), (HOME, CURL, 0), (CAFE, FIREFOX, 0), (HOME, FIREFOX, 0)],
    ids=["both other", "the owner's network", "the owner's program", "a tab"],
)
async def test_r8_the_owner_is_told_once_of_who_races_from_elsewhere(
    world: World, network: str, program: str, told: int
) -> None:
    """R8: and nobody is signed out, for it may be the owner after all."""
    await world.register()
    async with at(world, HOME, FIREFOX) as owner, at(world, network, program) as other:
        body = {"email": "ada@example.com", "password": "correct horse"}
        await owner.post("/api/auth/login", json=body)
        await owner.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
        stolen = {"Cookie": f"refresh_token={owner.cookies['refresh_token']}"}
        assert (await owner.post("/api/auth/refresh")).status_code == 200
        for _ in range(3):
            assert (await other.post("/api/auth/refresh", headers=stolen)).status_code == 200
        assert await shared(world) == told
        await world.deliver()
        letters = [letter for letter in world.mailer.letters if letter.kind is LetterKind.NEW_DEVICE]
        assert len(letters) == told
        assert (await owner.post("/api/auth/refresh")).status_code == 200


async def test_r8_of_many_sessions_the_owner_is_told_once_in_a_day(world: World) -> None:
    """R8: each is an event; and what is told of devices otherwise is not counted with it."""
    await world.register()
    async with at(world, HOME, FIREFOX) as owner, at(world, CAFE, CURL) as other:
        await owner.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
        for _ in range(SESSIONS):
            await owner.post("/api/auth/login", json={"email": "ada@example.com", "password": "correct horse"})
            stolen = {"Cookie": f"refresh_token={owner.cookies['refresh_token']}"}
            owner.cookies.delete("refresh_token")
            assert (await owner.post("/api/auth/refresh", headers=stolen)).status_code == 200
            assert (await other.post("/api/auth/refresh", headers=stolen)).status_code == 200
            owner.cookies.delete("refresh_token")
        assert await shared(world) == SESSIONS
        await world.deliver()
        assert [letter.kind for letter in world.mailer.letters[1:]] == [LetterKind.NEW_DEVICE]
        world.clock.advance(days=1)
        await owner.post("/api/auth/login", json={"email": "ada@example.com", "password": "correct horse"})
        stolen = {"Cookie": f"refresh_token={owner.cookies['refresh_token']}"}
        assert (await owner.post("/api/auth/refresh")).status_code == 200
        assert (await other.post("/api/auth/refresh", headers=stolen)).status_code == 200
        await world.deliver()
        assert len(world.mailer.letters) == 3
