"""Deleting an account: nothing of its owner is left anywhere, and nothing goes on."""

import pytest

from tests.harness import dump
from tests.harness.world import World
from vestibule.flows.delete_account import delete_account, delete_my_account
from vestibule.flows.find_people import find_account
from vestibule.flows.follow_revocations import purge_old_revocations
from vestibule.flows.identify import identify
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import WrongPassword
from vestibule.model.events import Event, EventKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.sessions import Device

ADDRESS = "ada@example.com"
BROWSER = "Ada's own browser"
CLIENT_INFO = ClientInfo(Device(BROWSER, "192.0.2.7"))


async def somebody(world: World) -> Account:
    """Ada, who is signed in, has a letter on its way and has left events behind."""
    await world.register()
    browser = await world.sign_in()
    await browser.post("/api/auth/login", json={"email": ADDRESS, "password": "wrong horse"})
    browser.headers["User-Agent"] = BROWSER
    await browser.post("/api/auth/login", json={"email": ADDRESS, "password": "correct horse"})
    await browser.post("/api/auth/forgotpassword", json={"email": ADDRESS})
    account = await find_account(world.env, ADDRESS)
    assert account is not None
    async with world.env.store.transaction() as tx:
        refused = {"fault": f"550 no mailbox {ADDRESS}"}
        await tx.events.record(Event(world.clock.now(), EventKind.LETTER_REFUSED, account.id, detail=refused))
    return account


async def test_l7_nothing_of_a_deleted_person_is_left(world: World) -> None:
    account = await somebody(world)
    of_ada = [account.id, ADDRESS, "Ada Lovelace", BROWSER, "192.0.2.7", str(account.password_hash)]
    before = str([await dump.tables(world), await dump.replicated(world)])
    assert [word for word in of_ada if word not in before] == []
    await delete_account(world.env, COMMAND_LINE, account)
    world.clock.advance(days=3)
    await purge_old_revocations(world.env)
    left = await dump.tables(world)
    # Who restores a backup has to know whom to delete again; nobody else can tell who that was.
    (told,) = [row for row in left["events"] if EventKind.ACCOUNT_DELETED.value in row]
    assert account.id in str(told)
    left["events"].remove(told)
    assert [word for word in of_ada if word in str(left)] == []
    # Redis also counts requests by network address, of every account together.
    replicated = str(await dump.replicated(world))
    assert [word for word in of_ada if word in replicated and word != "192.0.2.7"] == []
    assert len(left["events"]) > 4
    await world.deliver()


async def test_l7_who_was_signed_in_is_out_and_the_email_is_free(world: World) -> None:
    account = await somebody(world)
    browser, copied = await world.sign_in(), await world.sign_in()
    assert await delete_account(world.env, COMMAND_LINE, account) == 3  # the browser of `somebody` signed in twice
    assert (await browser.get("/api/users/me")).status_code == 401
    assert (await copied.post("/api/auth/refresh")).status_code == 403
    body = {"email": ADDRESS, "password": "correct horse"}
    assert (await browser.post("/api/auth/login", json=body)).json()["code"] == "wrong_credentials"
    assert await delete_account(world.env, COMMAND_LINE, account) == 0
    await world.register()


async def test_l7_one_s_own_account_is_deleted_with_the_password(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    caller = await identify(world.env, browser.cookies["access_token"])
    with pytest.raises(WrongPassword):
        await delete_my_account(world.env, caller, "wrong horse", CLIENT_INFO)
    assert (await browser.get("/api/users/me")).status_code == 200
    await delete_my_account(world.env, caller, "correct horse", CLIENT_INFO)
    assert (await browser.get("/api/users/me")).status_code == 401
    with pytest.raises(WrongPassword):
        await delete_my_account(world.env, caller, "correct horse", CLIENT_INFO)
