"""The fast path and the framework give the same answers, byte for byte; and the fast path never answers in doubt."""

import httpx
import pytest

from tests.harness.world import BASE, FRONT_END, World

PATHS = ("/api/users/me", "/api/auth/verify")


def past_the_fast_path(world: World, origin: str | None, client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of the same application without its fast path."""
    transport = httpx.ASGITransport(world.app._app, client=("192.0.2.7", 4711))  # type: ignore[attr-defined]
    headers = {"Origin": origin} if origin else {}
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers, cookies=client.cookies)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [None, FRONT_END, "https://elsewhere.example", "null"])
async def test_the_same_answer_by_either_way(world: World, path: str, origin: str | None) -> None:
    await world.register()
    client = await world.sign_in()
    await client.get(path)
    at_the_fast_path = await world.client(origin)
    at_the_fast_path.cookies = client.cookies
    fast = await at_the_fast_path.get(path)
    async with past_the_fast_path(world, origin, client) as behind:
        slow = await behind.get(path)
    assert fast.status_code == slow.status_code
    assert fast.content == slow.content
    assert fast.headers.pop("x-request-id") != slow.headers.pop("x-request-id")
    assert sorted(fast.headers.multi_items()) == sorted(slow.headers.multi_items())


async def test_a_hit_asks_nobody(world: World) -> None:
    await world.register()
    client = await world.sign_in()
    assert (await client.get("/api/users/me")).status_code == 200
    await world.take_database_away()
    assert (await client.get("/api/users/me")).status_code == 200
    assert (await client.get("/api/auth/verify")).status_code == 204


async def test_verify_names_the_caller_in_headers_alone(world: World) -> None:
    await world.register()
    client = await world.sign_in()
    me = (await client.get("/api/users/me")).json()["data"]["user"]
    answer = await client.get("/api/auth/verify")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (answer.headers["vestibule-user"], answer.headers["vestibule-role"]) == (me["id"], "user")
    sessions = (await client.get("/api/users/me/sessions")).json()["data"]["sessions"]
    assert answer.headers["vestibule-session"] == sessions[0]["id"]


@pytest.mark.parametrize("path", PATHS)
async def test_who_is_not_signed_in_is_refused(world: World, path: str) -> None:
    client = await world.client()
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("path", PATHS)
async def test_a_remembered_token_expires_on_time(world: World, path: str) -> None:
    await world.register()
    client = await world.sign_in()
    bearer = {"Authorization": f"Bearer {client.cookies['access_token']}"}
    world.clock.advance(minutes=15, seconds=29)
    assert (await client.get(path, headers=bearer)).status_code in {200, 204}
    world.clock.advance(seconds=1)
    assert (await client.get(path, headers=bearer)).json()["code"] == "access_token_invalid"


async def test_memory_is_bounded_and_the_oldest_makes_room(world: World) -> None:
    await world.register()
    clients = [await world.sign_in() for _ in range(3)]
    world.env.memory._size = 2
    sessions = [(await client.get("/api/auth/verify")).headers["vestibule-session"] for client in clients]
    assert [world.env.memory.session(session) is not None for session in sessions] == [False, True, True]
