"""What could hurt the owner of an account needs a sign-in that is not long ago, or the current password."""

from dataclasses import replace
from datetime import timedelta

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on

DEVICES = "/api/users/me/sessions"


async def id_of(world: World, token: str) -> str:
    bearer = {"Authorization": f"Bearer {token}"}
    return str((await (await world.client()).get("/api/auth/verify", headers=bearer)).headers["vestibule-session"])


async def test_s10_an_old_sign_in_ends_no_other_device_and_a_new_one_does(world: World) -> None:
    await world.register()
    mine, other, _third = await world.sign_in(), await world.sign_in(), await world.sign_in()
    session = await id_of(world, other.cookies["access_token"])
    world.clock.advance(minutes=14)
    await mine.post("/api/auth/refresh")
    world.clock.advance(minutes=6)
    for path in (DEVICES, f"{DEVICES}/{session}"):
        refused = await mine.delete(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
    assert (await other.post("/api/auth/refresh")).status_code == 200
    await mine.post("/api/auth/login", json={"email": "ada@example.com", "password": "correct horse"})
    assert (await mine.delete(f"{DEVICES}/{session}")).status_code == 200
    assert (await mine.delete(DEVICES)).json()["data"]["ended"] == 1


async def test_s10_signing_out_oneself_is_always_possible(world: World) -> None:
    await world.register()
    mine, too = await world.sign_in(), await world.sign_in()
    session = await id_of(world, mine.cookies["access_token"])
    world.clock.advance(minutes=14)
    await too.post("/api/auth/refresh")
    assert (await mine.delete(f"{DEVICES}/{session}")).status_code == 200
    world.clock.advance(minutes=6)
    assert (await too.post("/api/auth/logout")).status_code == 200


async def test_s10_password_and_email_change_with_the_current_password_alone(world: World) -> None:
    await world.register()
    mine = await world.sign_in()
    new = {"password": "battery staple", "passwordConfirm": "battery staple"}
    wrong = {"currentPassword": "wrong horse"}
    for path, body in (("password", new), ("email", {"email": "eve@example.com"})):
        assert (await mine.patch(f"/api/users/me/{path}", json={**body, **wrong})).status_code == 403
        assert (await mine.patch(f"/api/users/me/{path}", json=body)).status_code == 400
    assert (await mine.get("/api/users/me")).json()["data"]["user"]["email"] == "ada@example.com"


async def test_s10_an_operator_may_do_without(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY, reauthentication=timedelta(0))) as world:
        await world.register()
        mine, _ = await world.sign_in(), await world.sign_in()
        world.clock.advance(minutes=10)
        await mine.post("/api/auth/refresh")
        world.clock.advance(minutes=10)
        await mine.post("/api/auth/refresh")
        assert (await mine.delete(DEVICES)).json()["data"]["ended"] == 1
