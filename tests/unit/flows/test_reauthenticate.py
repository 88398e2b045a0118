"""What could hurt the owner of an account needs a sign-in that is not long ago, or the current password."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import BASE, POLICY, World, world_on

DEVICES, STEP_UP, DATA = "/api/users/me/sessions", "/api/users/me/step-up", "/profile/data"
ADA, PASSWORD = {"email": "ada@example.com", "password": "correct horse"}, {"password": "correct horse"}
Deed = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]


async def id_of(world: World, token: str) -> str:
    bearer = {"Authorization": f"Bearer {token}"}
    return str((await (await world.client()).get("/api/auth/verify", headers=bearer)).headers["vestibule-session"])


async def end_others(browser: httpx.AsyncClient, other: str) -> httpx.Response:
    return await browser.delete(DEVICES)


async def end_other(browser: httpx.AsyncClient, other: str) -> httpx.Response:
    return await browser.delete(f"{DEVICES}/{other}")


async def end_others_on_the_page(browser: httpx.AsyncClient, other: str) -> httpx.Response:
    csrf = csrf_in(await browser.get("/profile"))
    return await browser.post("/profile/security/sessions", data={"csrf": csrf})


async def end_other_on_the_page(browser: httpx.AsyncClient, other: str) -> httpx.Response:
    csrf = csrf_in(await browser.get("/profile"))
    return await browser.post(f"/profile/security/sessions/{other}", data={"csrf": csrf})


async def export(browser: httpx.AsyncClient, other: str) -> httpx.Response:
    return await browser.get(DATA)


def is_refused(answer: httpx.Response) -> bool:
    """Pages lead to the one that asks for another sign-in."""
    leads_there = answer.headers.get("location") == "/reauthenticate?return_to=%2Fprofile%2Fsecurity"
    return answer.status_code == 403 or (answer.status_code == 303 and leads_there)


DEEDS: dict[str, Deed] = {
    deed.__name__: deed for deed in (end_others, end_other, end_others_on_the_page, end_other_on_the_page, export)
}


async def test_s10_an_old_sign_in_ends_no_other_device_and_a_new_one_does(world: World) -> None:
    await world.register()
    mine, other, _third = await world.sign_in(), await world.sign_in(), await world.sign_in()
    session = await id_of(world, other.cookies["access_token"])
    world.clock.advance(minutes=14)
    await mine.post("/api/auth/refresh")
    for path in (DEVICES, f"{DEVICES}/{session}"):
        refused = await mine.delete(path)
        message = "Sign in again to do this, your sign-in is too long ago"
        told = {"status": "fail", "code": "reauthentication_required", "message": message}
        assert (refused.status_code, refused.json()) == (403, told | {"satisfied_by": ["password"], "max_age": 300})
    assert (await other.post("/api/auth/refresh")).status_code == 200
    await mine.post("/api/auth/login", json=ADA)
    assert (await mine.delete(f"{DEVICES}/{session}")).status_code == 200
    assert (await mine.delete(DEVICES)).json()["data"]["ended"] == 1


@pytest.mark.parametrize("deed", DEEDS)
async def test_f24_it_is_the_token_that_has_to_tell_of_a_recent_sign_in(world: World, deed: str) -> None:
    """S10, F24: a step-up allows what was refused, for its own tokens and for as long as it is recent."""
    await world.register()
    other = await world.sign_in()
    session = await id_of(world, other.cookies["access_token"])
    mine = await world.client(BASE)
    assert (await mine.post("/api/auth/login", json=ADA)).status_code == 200
    world.clock.advance(seconds=301)
    assert is_refused(await DEEDS[deed](mine, session))
    copied = await world.client(BASE)
    copied.cookies.update(mine.cookies)
    world.clock.advance(seconds=10)
    assert (await mine.post(STEP_UP, json=PASSWORD)).status_code == 200
    assert is_refused(await DEEDS[deed](copied, session))
    assert (await copied.post("/api/auth/refresh")).status_code == 200
    assert is_refused(await DEEDS[deed](copied, session))
    assert (await other.get("/api/users/me")).status_code == 200
    world.clock.advance(seconds=300)
    await mine.post("/api/auth/refresh")
    assert not is_refused(await DEEDS[deed](mine, session))
    assert (await other.get("/api/users/me")).status_code == (200 if deed == "export" else 401)
    world.clock.advance(seconds=1)
    assert is_refused(await DEEDS[deed](mine, session))


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


async def test_s10_an_operator_chooses_how_recent(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY, reauthentication=timedelta(hours=1))) as world:
        await world.register()
        mine, _ = await world.sign_in(), await world.sign_in()
        for _ in range(4):
            world.clock.advance(minutes=14)
            await mine.post("/api/auth/refresh")
        assert (await mine.delete(DEVICES)).json()["data"]["ended"] == 1
        world.clock.advance(minutes=5)
        assert (await mine.delete(DEVICES)).json()["max_age"] == 3600
