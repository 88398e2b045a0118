"""Ending one device by its id: whose it is, what it ends, and that nobody ends another's."""

import httpx

from tests.harness.world import World

DEVICES = "/api/users/me/sessions"


async def id_of(client: httpx.AsyncClient) -> str:
    """The session of a signed-in browser."""
    return str((await client.get("/api/auth/verify")).headers["vestibule-session"])


async def test_one_device_is_signed_out_and_no_other(world: World) -> None:
    """S9: one device is signed out and no other."""
    await world.register()
    mine, lost, third = [await world.sign_in() for _ in range(3)]
    assert (await mine.delete(f"{DEVICES}/{await id_of(lost)}")).json() == {"status": "success"}
    assert (await lost.get("/api/users/me")).json()["code"] == "session_signed_out_elsewhere"
    assert (await lost.get("/api/auth/refresh")).json()["code"] == "session_signed_out_elsewhere"
    assert (await third.get("/api/users/me")).status_code == 200
    assert len((await mine.get(DEVICES)).json()["data"]["sessions"]) == 2


async def test_ending_it_twice_is_said(world: World) -> None:
    await world.register()
    mine, lost = await world.sign_in(), await world.sign_in()
    session = await id_of(lost)
    assert (await mine.delete(f"{DEVICES}/{session}")).status_code == 200
    assert (await mine.delete(f"{DEVICES}/{session}")).json()["code"] == "session_unknown"


async def test_nobody_ends_another_s(world: World) -> None:
    """S9: nobody ends another s."""
    await world.register()
    await world.register("bob@example.com")
    ada, bob = await world.sign_in(), await world.sign_in("bob@example.com")
    assert (await bob.delete(f"{DEVICES}/{await id_of(ada)}")).status_code == 404
    assert (await ada.get("/api/users/me")).status_code == 200


async def test_ending_one_s_own_clears_the_cookies(world: World) -> None:
    """S9: ending one's own clears the cookies."""
    await world.register()
    mine = await world.sign_in()
    bearer = {"Authorization": f"Bearer {mine.cookies['access_token']}"}
    assert (await mine.delete(f"{DEVICES}/{await id_of(mine)}")).status_code == 200
    assert [name for name in mine.cookies if not name.startswith("device_")] == []
    assert (await mine.get("/api/users/me", headers=bearer)).json()["code"] == "session_signed_out"


async def test_last_seen_moves_with_a_refresh_and_costs_no_write_between(world: World) -> None:
    await world.register()
    mine = await world.sign_in()
    first = (await mine.get(DEVICES)).json()["data"]["sessions"][0]["lastSeenAt"]
    world.clock.advance(minutes=5)
    await mine.get("/api/users/me")
    assert (await mine.get(DEVICES)).json()["data"]["sessions"][0]["lastSeenAt"] == first
    await mine.get("/api/auth/refresh")
    assert (await mine.get(DEVICES)).json()["data"]["sessions"][0]["lastSeenAt"] > first
