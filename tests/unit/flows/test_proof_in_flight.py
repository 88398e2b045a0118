"""A proof of the password, or of a recent sign-in, is good only as long as nothing ended what it was given in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import POLICY, World, world_on
from tests.unit.flows import EMAIL, NEW_PASSWORD, PASSWORD, ask_for_reset, confirm, reset, sign_in_status, twice, verify
from vestibule.flows import my_data, my_sessions
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.create_account import create_account
from vestibule.flows.delete_account import delete_my_account
from vestibule.flows.find_people import find_account
from vestibule.flows.identify import Caller, identify, read_token
from vestibule.model.accounts import Account, Role
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import Refusal, SessionOver
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.sessions import Device
from vestibule.state.passwords import Passwords

THIEFS = "thief@example.net"
CLIENT_INFO = ClientInfo(Device("x", "192.0.2.9"))


@asynccontextmanager
async def held_open(monkeypatch: pytest.MonkeyPatch, step: str) -> AsyncIterator[asyncio.Event]:
    """The step of the hashing that comes next has its outcome, and waits for the end of this block to go on."""
    real, reached, go = getattr(Passwords, step), asyncio.Event(), asyncio.Event()

    async def slow(self: Passwords, *args: str) -> object:
        outcome = await real(self, *args)
        monkeypatch.setattr(Passwords, step, real)
        reached.set()
        await go.wait()
        return outcome

    monkeypatch.setattr(Passwords, step, slow)
    try:
        yield reached
    finally:
        go.set()


async def change_email(world: World, thief: httpx.AsyncClient) -> int:
    body = {"currentPassword": PASSWORD, "email": THIEFS}
    return (await thief.patch("/api/users/me/email", json=body)).status_code


async def change_password(world: World, thief: httpx.AsyncClient) -> int:
    body = {"currentPassword": PASSWORD, **twice("the thief's own")}
    return (await thief.patch("/api/users/me/password", json=body)).status_code


async def step_up(world: World, thief: httpx.AsyncClient) -> int:
    return (await thief.post("/api/users/me/step-up", json={"password": PASSWORD})).status_code


async def delete(world: World, thief: httpx.AsyncClient) -> int:
    try:
        caller = await identify(world.env, thief.cookies["access_token"])
        await delete_my_account(world.env, caller, PASSWORD, CLIENT_INFO)
    except Refusal:
        return 403
    return 200


async def _account(world: World) -> Account:
    account = await find_account(world.env, EMAIL)
    assert account is not None
    return account


async def by_a_mailed_reset(world: World, thief: httpx.AsyncClient) -> str:
    assert await reset(world, world.secret(LetterKind.RESET_PASSWORD)) == 200
    return NEW_PASSWORD


async def by_disabling(world: World, thief: httpx.AsyncClient) -> str:
    await disable_account(world.env, COMMAND_LINE, await _account(world))
    return ""


async def by_disabling_and_enabling(world: World, thief: httpx.AsyncClient) -> str:
    await disable_account(world.env, COMMAND_LINE, await _account(world))
    await enable_account(world.env, COMMAND_LINE, await _account(world))
    return PASSWORD


async def by_ending_all_devices(world: World, thief: httpx.AsyncClient) -> str:
    owner = await world.sign_in()
    assert (await owner.delete("/api/users/me/sessions")).json()["data"]["ended"] == 1
    return PASSWORD


async def by_idling(world: World, thief: httpx.AsyncClient) -> str:
    world.clock.advance(hours=1)
    return PASSWORD


Deed = Callable[[World, httpx.AsyncClient], Awaitable[int]]
DEEDS: dict[str, tuple[Deed, str]] = {
    "change email": (change_email, "match"),
    "change password, being checked": (change_password, "match"),
    "change password, being hashed": (change_password, "hash"),
    "step up": (step_up, "match"),
    "delete": (delete, "match"),
}
ENDS = {
    end.__name__: end
    for end in (by_a_mailed_reset, by_disabling, by_disabling_and_enabling, by_ending_all_devices, by_idling)
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("deed", DEEDS)
async def test_s13_a_right_password_is_good_only_in_the_epoch_and_the_session_it_was_given_in(
    world: World, monkeypatch: pytest.MonkeyPatch, deed: str, end: str
) -> None:
    """S13: the thief's password is found right; then the owner ends that; then the thief's request goes on."""
    await world.register()
    assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
    thief = await world.sign_in()
    await ask_for_reset(world)
    await world.deliver()
    act, step = DEEDS[deed]
    async with held_open(monkeypatch, step) as reached:
        request = asyncio.create_task(act(world, thief))
        async with asyncio.timeout(WAIT_SECONDS):
            await reached.wait()
        password = await ENDS[end](world, thief)
    assert await request in {401, 403}
    sent = len(world.mailer.letters)
    await world.deliver()
    assert THIEFS not in {letter.to for letter in world.mailer.letters[sent:]}
    await _account(world)
    if end != "by_disabling":
        assert await sign_in_status(world, password=password) == 200
    assert await sign_in_status(world, password="the thief's own") == 400


async def end_others(world: World, caller: Caller) -> None:
    await my_sessions.end_others(world.env, caller)


async def end_one(world: World, caller: Caller) -> None:
    async with world.env.store.reading() as read:
        live = await read.sessions.of_account(caller.account.id, 1, world.clock.now())
    await my_sessions.end_one(world.env, caller, live[0].id)


async def take_data(world: World, caller: Caller) -> None:
    await my_data.my_data(world.env, caller)


@pytest.mark.parametrize("deed", [end_others, end_one, take_data])
async def test_s13_a_recent_sign_in_counts_only_while_its_session_lives(
    world: World, deed: Callable[[World, Caller], Awaitable[None]]
) -> None:
    """S13: a thief who was identified before the owner's reset does nothing to the sessions of after it."""
    await world.register()
    thief = await world.sign_in()
    caller = await identify(world.env, thief.cookies["access_token"])
    await ask_for_reset(world)
    await world.deliver()
    await by_a_mailed_reset(world, thief)
    owner = await world.sign_in(password=NEW_PASSWORD)
    with pytest.raises(SessionOver):
        await deed(world, caller)
    assert (await owner.get("/api/users/me")).status_code == 200


async def test_s13_who_lives_on_does_what_was_asked(world: World) -> None:
    """S13: nobody else is hindered."""
    await world.register()
    browser = await world.sign_in()
    assert await change_email(world, browser) == 200
    await world.deliver()
    assert await change_password(world, browser) == 200
    browser = await world.sign_in(password="the thief's own")
    assert await confirm(browser, world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == 403
    assert await change_password(world, browser) == 403


async def test_m17_the_doubt_is_there_before_the_letter(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """M17: a click that is faster than the hash of the registration makes no stranger's password good."""
    async with world_on(backend, replace(POLICY, conceal_accounts=True)) as world:
        await world.register(password="the stranger's horse")
        await world.sign_in(password="the stranger's horse")
        world.clock.advance(minutes=1)
        async with held_open(monkeypatch, "match") as reached:
            request = asyncio.create_task(world.register())
            async with asyncio.timeout(WAIT_SECONDS):
                await reached.wait()
            await world.deliver()
            assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
        await request
        assert await sign_in_status(world, password="the stranger's horse") == 400


async def test_m17_nobody_takes_back_the_doubt_that_another_raises_at_the_same_moment(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M17: who sends the form twice takes back what that put in doubt, and no more."""
    async with world_on(backend, replace(POLICY, conceal_accounts=True)) as world:
        await world.register()
        async with held_open(monkeypatch, "match") as reached:
            request = asyncio.create_task(world.register())
            async with asyncio.timeout(WAIT_SECONDS):
                await reached.wait()
            await world.register(password="the stranger's horse")
        await request
        assert (await _account(world)).password_in_doubt


async def test_e5_a_squatter_s_sessions_of_this_second_are_revoked_by_id(world: World) -> None:
    """E5: `iat` has whole seconds, so that the mark of the account spares them."""
    await world.register(THIEFS)
    squatter = await world.sign_in(THIEFS)
    token = await read_token(world.env, squatter.cookies["access_token"])
    await create_account(world.env, COMMAND_LINE, "Ada", THIEFS, Role.USER)
    standing = world.env.revocations.still_in_force(0, world.clock.monotonic())
    assert token.session_id in {notice.subject for notices in standing for notice in notices}
