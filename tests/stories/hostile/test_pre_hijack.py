"""Pre-hijack: a stranger registers my address with his password. Only a reader of my mail gets the account.

O9: each story ends with the stranger signed out everywhere, and with my password the only one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import update

from tests.harness.backends import Backend
from tests.harness.world import CHEAP, POLICY, World, mandatory_verification, world_on
from vestibule.crypto.passwords import Hasher
from vestibule.flows.clean_up import clean_up
from vestibule.model.letters import LetterKind
from vestibule.storage.sql.schema import accounts

MINE = "ada@example.com"
HIS_PASSWORD, MY_PASSWORD = "the stranger's horse", "my own battery staple"
SESSION_OVER = 401
COLUMNS = {
    "disabled": {"disabled_at": accounts.c.created_at},
    "an admin": {"role": "admin"},
    "brought over": {
        "password_hash": Hasher(CHEAP, bcrypt_rounds=4).hash(MY_PASSWORD),
        "imported_at": accounts.c.created_at,
    },
    "of a provider's": {"provider": "a provider", "password_hash": None},
}


async def register(world: World, password: str, name: str = "Ada Lovelace") -> httpx.Response:
    body = {"name": name, "email": MINE, "password": password, "passwordConfirm": password}
    return await (await world.client()).post("/api/auth/register", json=body)


async def status_of_sign_in(world: World, password: str) -> int:
    answer = await (await world.client()).post("/api/auth/login", json={"email": MINE, "password": password})
    return answer.status_code


async def code_mailed(world: World) -> str:
    await world.deliver()
    return world.secret(LetterKind.VERIFY_EMAIL)


async def require_mine(world: World, stranger: httpx.AsyncClient | None = None) -> None:
    """He is out, and I am in."""
    assert await status_of_sign_in(world, HIS_PASSWORD) == 400
    assert await status_of_sign_in(world, MY_PASSWORD) == 200
    if stranger is not None:
        assert (await stranger.get("/api/users/me")).status_code == SESSION_OVER
        assert (await stranger.post("/api/auth/refresh")).status_code == 403


async def test_i_register_again_prove_it_and_he_is_out(backend: Backend) -> None:
    """O9: registering an address that was never verified can be repeated by its owner."""
    async with world_on(backend, mandatory_verification()) as world:
        assert (await register(world, HIS_PASSWORD, "See evil.example")).status_code == 201
        his_code = await code_mailed(world)
        world.clock.advance(minutes=11)
        mine = await register(world, MY_PASSWORD)
        assert mine.status_code == 201
        assert mine.json()["data"]["user"]["name"] == "Ada Lovelace"
        client = await world.client()
        assert (await client.get(f"/api/auth/verifyemail/{his_code}")).status_code == 403
        assert (await client.get(f"/api/auth/verifyemail/{await code_mailed(world)}")).status_code == 200
        await world.deliver()
        body = {"password": MY_PASSWORD, "passwordConfirm": MY_PASSWORD}
        path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
        assert (await client.patch(path, json=body)).status_code == 200
        await require_mine(world)
        me = await (await world.sign_in(MINE, MY_PASSWORD)).get("/api/users/me")
        assert me.json()["data"]["user"]["name"] == "Ada Lovelace"


async def test_at_the_link_i_say_that_it_was_not_me_and_he_is_out(world: World) -> None:
    """O9: the one who verifies the address by the page takes the account over; his sessions end, his password dies."""
    await register(world, HIS_PASSWORD)
    code = await code_mailed(world)
    stranger = await world.sign_in(MINE, HIS_PASSWORD)
    browser = await world.client(None)
    page = await browser.get(f"/verifyemail/{code}")
    assert f'action="/verifyemail/{code}/mine"' in page.text
    assert (await stranger.get("/api/users/me")).status_code == 200, "looking changes nothing"
    led = await browser.post(f"/verifyemail/{code}/mine", headers={"Sec-Fetch-Site": "same-origin"})
    assert led.status_code == 303
    assert await status_of_sign_in(world, HIS_PASSWORD) == 400
    assert (await stranger.get("/api/users/me")).status_code == SESSION_OVER
    fields = {"password": MY_PASSWORD, "passwordConfirm": MY_PASSWORD}
    done = await browser.post(led.headers["location"], data=fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert done.headers["location"] == "/login?notice=password_reset"
    await require_mine(world, stranger)
    again = await browser.post(f"/verifyemail/{code}/mine", headers={"Sec-Fetch-Site": "same-origin"})
    assert again.status_code == 403, "the link worked once"


async def test_i_reset_the_password_and_he_is_out(world: World) -> None:
    """O9: a reset takes the account over, also after he had verified nothing and signed in."""
    await register(world, HIS_PASSWORD)
    stranger = await world.sign_in(MINE, HIS_PASSWORD)
    client = await world.client()
    await client.post("/api/auth/forgotpassword", json={"email": MINE})
    await world.deliver()
    body = {"password": MY_PASSWORD, "passwordConfirm": MY_PASSWORD}
    path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    assert (await client.patch(path, json=body)).status_code == 200
    await require_mine(world, stranger)


async def page_sign_up(world: World, password: str) -> httpx.AsyncClient:
    """A browser that signed up on the page, which signs in at once."""
    browser = await world.client(None)
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    fields = {"name": "Ada Lovelace", "email": MINE, "password": password}
    assert (await browser.post("/register", data=fields)).headers["location"] == "/profile?notice=signed_up"
    return browser


async def recover_by_reset(world: World) -> None:
    """Forgotten password, on the page."""
    browser = await world.client(None)
    await browser.post("/forgotpassword", data={"email": MINE})
    await world.deliver()
    await browser.post(f"/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}", data={"password": MY_PASSWORD})


async def recover_at_the_link(world: World) -> None:
    """The second button of the letter that his registration sent."""
    browser = await world.client(None)
    led = await browser.post(f"/verifyemail/{await code_mailed(world)}/mine")
    await browser.post(led.headers["location"], data={"password": MY_PASSWORD})


async def recover_by_signing_up_too(world: World) -> None:
    """It is refused, as his account is in use, and puts his password in doubt: the link asks for another."""
    browser = await world.client(None)
    fields = {"name": "Ada Lovelace", "email": MINE, "password": MY_PASSWORD}
    assert (await browser.post("/register", data=fields)).status_code == 409
    led = await browser.post(f"/verifyemail/{await code_mailed(world)}")
    await browser.post(led.headers["location"], data={"password": MY_PASSWORD})


@pytest.mark.parametrize("later", [1, 50], ids=["at_once", "later"])
@pytest.mark.parametrize("recover", [recover_by_reset, recover_at_the_link, recover_by_signing_up_too])
async def test_who_signed_up_on_the_page_and_was_signed_in_is_out(
    world: World, recover: Callable[[World], Awaitable[None]], later: int
) -> None:
    """O9, M15: with the letters he asked for, sent or still queued, and the codes in them."""
    stranger = await page_sign_up(world, HIS_PASSWORD)
    his_code = await code_mailed(world)
    for his in ("eve@example.com", "mallory@example.com"):
        body = {"currentPassword": HIS_PASSWORD, "email": his}
        assert (await stranger.patch("/api/users/me/email", json=body)).status_code == 200
        if his.startswith("eve"):
            await world.deliver()
    world.clock.advance(minutes=later)
    await stranger.post("/api/auth/refresh")
    assert (await stranger.get("/api/users/me")).status_code == 200
    await recover(world)
    await require_mine(world, stranger)
    sent = len(world.mailer.letters)
    await world.deliver()
    assert not [letter for letter in world.mailer.letters[sent:] if letter.to != MINE]
    assert (await stranger.get(f"/api/auth/verifyemail/{his_code}")).status_code == 403
    again = await world.sign_in(MINE, MY_PASSWORD)
    confirm = f"/confirmemail/{world.secret(LetterKind.CONFIRM_NEW_EMAIL)}"
    assert (await again.get(confirm)).status_code == 403


@pytest.mark.parametrize("why", ["just registered", "verified", "used", "used long ago", "signed up", *COLUMNS])
async def test_what_is_somebodys_is_not_registered_again(world: World, why: str) -> None:
    if why == "signed up":
        await page_sign_up(world, MY_PASSWORD)
    else:
        await register(world, MY_PASSWORD)
    if why == "verified":
        await (await world.client()).get(f"/api/auth/verifyemail/{await code_mailed(world)}")
    if why.startswith("used"):
        await world.sign_in(MINE, MY_PASSWORD)
    if why in COLUMNS:
        async with world.engines.sqlalchemy_transaction() as connection:
            await connection.execute(update(accounts).values(COLUMNS[why]))
    world.clock.advance(minutes=9 if why == "just registered" else 60)
    if why == "used long ago":
        world.clock.advance(days=1000)
        assert (await clean_up(world.env))["sessions"] == 1
    assert (await register(world, HIS_PASSWORD)).status_code == 409
    assert await status_of_sign_in(world, HIS_PASSWORD) == 400
    if why not in {"disabled", "of a provider's"}:
        assert await status_of_sign_in(world, MY_PASSWORD) == 200


async def test_nobodys_mailbox_is_flooded_and_past_the_limit_nothing_is_replaced(backend: Backend) -> None:
    """G8, O9: a letter that would not be sent replaces no password either."""
    policy = replace(POLICY, letters=POLICY.letters.per_hour(to_email=2, for_network=60))
    async with world_on(backend, policy) as world:
        statuses = []
        for _ in range(5):
            statuses.append((await register(world, MY_PASSWORD)).status_code)
            world.clock.advance(minutes=11)
        assert statuses == [201, 201, 201, 409, 409]
        await world.deliver()
        assert len(world.mailer.letters) <= 3
