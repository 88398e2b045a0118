"""Changing one's name, by the API and on a page: what is seen, what is refused, and what is kept of it."""

import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.web.people import ada
from vestibule.flows.change_name import change_name
from vestibule.flows.identify import identify
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import SessionOver
from vestibule.model.sessions import Device

pytestmark = pytest.mark.any_engine
NEW = "Countess of Lovelace"


async def _kinds(world: World) -> list[str]:
    async with world.env.store.reading() as read:
        account = await read.accounts.with_email("ada@example.com")
        assert account is not None
        return [event.kind.value for event in await read.events.of_account(account.id, 10)]


async def test_the_api_answers_with_the_new_name_and_records_it(world: World) -> None:
    client = await ada(world)
    told = await client.patch("/api/users/me", json={"name": NEW})
    assert (told.status_code, told.json()["data"]["user"]["name"]) == (200, NEW)
    assert (await client.get("/api/users/me")).json() == told.json()
    assert (await world.sign_in()).cookies, "nobody is signed out"
    assert "name_changed" in await _kinds(world)


@pytest.mark.parametrize("name", ["\N{DUCK}" * 256, "Ada\0", 7, None])
async def test_what_sign_up_refuses_is_refused_here_too(world: World, name: object) -> None:
    client = await ada(world)
    assert (await client.patch("/api/users/me", json={"name": name})).status_code == 400
    assert (await client.get("/api/users/me")).json()["data"]["user"]["name"] == "Ada Lovelace"
    assert "name_changed" not in await _kinds(world)


async def test_only_the_name_can_be_changed_so(world: World) -> None:
    client = await ada(world)
    before = (await client.get("/api/users/me")).json()["data"]["user"]
    more = {"name": NEW, "role": "admin", "email": "eve@example.com", "id": "0", "photo": "eve.png"}
    after = (await client.patch("/api/users/me", json=more)).json()["data"]["user"]
    assert after | {"name": "", "updatedAt": ""} == before | {"name": "", "updatedAt": ""}


async def test_another_site_changes_no_name(world: World) -> None:
    client = await ada(world)
    answer = await client.patch("/api/users/me", json={"name": NEW}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


async def test_the_page_asks_for_it_with_the_old_one_filled_in(world: World) -> None:
    client = await ada(world)
    page = await client.get("/profile/name")
    assert 'value="Ada Lovelace"' in page.text
    done = await client.post("/profile/name", data={"csrf": csrf_in(page), "name": f" {NEW} "})
    assert done.headers["location"] == "/profile?notice=name_changed"
    profile = (await client.get(done.headers["location"])).text
    assert f"<bdi>{NEW}</bdi>" in profile
    assert "Your name was changed." in profile


@pytest.mark.parametrize(("name", "said"), [("  ", "Enter your name."), ("a" * 256, "Use at most 255 characters.")])
async def test_the_page_says_what_is_wrong(world: World, name: str, said: str) -> None:
    client = await ada(world)
    answer = await client.post("/profile/name", data={"csrf": csrf_in(await client.get("/profile/name")), "name": name})
    assert answer.status_code == 400
    assert said in answer.text
    assert 'id="name-fault"' in answer.text


@pytest.mark.parametrize("end", ["disabled", "password changed"])
async def test_a_session_that_ended_a_moment_ago_changes_nothing(world: World, end: str) -> None:
    client = await ada(world)
    caller = await identify(world.env, client.cookies["access_token"])
    async with world.env.store.transaction() as tx:
        if end == "disabled":
            await tx.accounts.disable(caller.account.id, None, world.clock.now())
        else:
            await tx.accounts.set_password(caller.account.id, "x", world.clock.now())
    with pytest.raises(SessionOver):
        await change_name(world.env, caller, NEW, ClientInfo(Device("Firefox", "192.0.2.7")))
    assert "name_changed" not in await _kinds(world)
