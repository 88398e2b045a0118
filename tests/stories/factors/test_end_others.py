"""A change of second factors can end all other sessions in the same request: somebody else may have one."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.factors.apps import CODES, TOTP, enrolled, first_step, prove, second_step
from tests.stories.passkeys import MINE, add
from vestibule.web.pages.my_factors import SECURITY

CHANGES = {"remove the app": ("DELETE", TOTP), "remove a passkey": ("DELETE", MINE), "new codes": ("POST", CODES)}
PAGES = {
    "remove the app": f"{SECURITY}/authenticator/remove",
    "remove a passkey": f"{SECURITY}/passkeys",
    "new codes": f"{SECURITY}/recovery-codes/new",
}
Send = Callable[[httpx.AsyncClient, str, str, bool], Awaitable[httpx.Response]]


async def by_api(browser: httpx.AsyncClient, change: str, passkey: str, end_others: bool) -> httpx.Response:
    method, path = CHANGES[change]
    path = f"{path}/{passkey}" if path == MINE else path
    return await browser.request(method, path, json={"end_others": True} if end_others else None)


async def by_page(browser: httpx.AsyncClient, change: str, passkey: str, end_others: bool) -> httpx.Response:
    path = PAGES[change]
    path = f"{path}/{passkey}/remove" if path.endswith("passkeys") else path
    asked = await browser.get(path)
    assert "Sign out all my other devices (1)" in asked.text
    return await browser.post(path, data={"csrf": csrf_in(asked)} | ({"end_others": "on"} if end_others else {}))


@pytest.mark.parametrize("end_others", [True, False])
@pytest.mark.parametrize("send", [by_api, by_page])
@pytest.mark.parametrize("change", CHANGES)
async def test_f61_each_change_can_end_all_other_sessions(
    world: World, change: str, send: Send, end_others: bool
) -> None:
    mine, app, _ = await enrolled(world)
    other = await world.client()
    await first_step(other)
    assert await second_step(other, app.next_code()) == "ok"
    await prove(mine, app)
    passkey = (await add(mine, Authenticator())).json()["data"]["passkey"]["id"]
    assert (await send(mine, change, passkey, end_others)).status_code in {200, 303}
    over = end_others or change in {"remove the app", "new codes"}  # the other one signed in by a code (F69, F75)
    ended = await other.get("/api/users/me")
    assert ended.status_code == (401 if over else 200)
    assert ended.json().get("code") == ("session_signed_out_elsewhere" if over else None)
    assert (await mine.get("/api/users/me")).status_code == 200
