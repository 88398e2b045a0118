"""O23, O24: the last enabled admin stays, however many take admins away at once; and a new role ends sessions."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import combinations_with_replacement
from typing import Any

import pytest
from sqlalchemy import text

from tests.harness.rounds import rounds
from tests.harness.world import World
from tests.unit.flows.acts import account_of
from vestibule.crypto.entropy import new_id
from vestibule.flows.administer import disable_account
from vestibule.flows.create_account import create_account
from vestibule.flows.delete_account import delete_account, delete_my_account
from vestibule.flows.env import Env
from vestibule.flows.identify import identify
from vestibule.flows.set_role import set_role
from vestibule.flows.watch_events import find_events
from vestibule.model.accounts import Account, Role
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import EmailTaken, SessionOver
from vestibule.model.events import EventFilter, EventKind
from vestibule.model.operator_errors import LastAdmin, PermissionMissing, RoleNeedsVerifiedEmail
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.model.sessions import Device

Take = Callable[[Env, Operator, Account], Awaitable[Any]]
TAKE_AWAY: dict[str, Take] = {
    "demote": lambda env, operator, account: set_role(env, operator, account, Role.USER),
    "disable": disable_account,
    "delete": delete_account,
}
BY_ANY_WAY = pytest.mark.parametrize("way", TAKE_AWAY)
PAIRS = list(combinations_with_replacement(TAKE_AWAY, 2))
ROUNDS = rounds(100, suite=5)


async def an_admin(world: World) -> tuple[Account, str]:
    return await create_account(world.env, COMMAND_LINE, "Eve", f"{new_id()}@example.com", Role.ADMIN)


async def admins(world: World) -> list[str]:
    async with world.env.store.reading() as read:
        return await read.accounts.enabled_admins(10)


@BY_ANY_WAY
async def test_o23_the_last_admin_stays(world: World, way: str) -> None:
    eve, _ = await an_admin(world)
    with pytest.raises(LastAdmin):
        await TAKE_AWAY[way](world.env, COMMAND_LINE, eve)
    assert await account_of(world, eve.email) == eve
    other, _ = await an_admin(world)
    await TAKE_AWAY[way](world.env, COMMAND_LINE, eve)
    assert await admins(world) == [other.id]


@BY_ANY_WAY
async def test_o23_a_disabled_admin_does_not_count(world: World, way: str) -> None:
    eve, _ = await an_admin(world)
    other, _ = await an_admin(world)
    await disable_account(world.env, COMMAND_LINE, other)
    with pytest.raises(LastAdmin):
        await TAKE_AWAY[way](world.env, COMMAND_LINE, eve)
    await TAKE_AWAY["delete"](world.env, COMMAND_LINE, other)
    assert await admins(world) == [eve.id]


async def test_o23_the_last_admin_cannot_leave(world: World) -> None:
    """O23: not even by themselves; nothing of their history is deleted by the attempt."""
    eve, password = await an_admin(world)
    client = await world.sign_in(eve.email, password)
    caller = await identify(world.env, client.cookies["access_token"])
    before = await find_events(world.env, EventFilter(account_id=eve.id), 10)
    with pytest.raises(LastAdmin):
        await delete_my_account(world.env, caller, password, ClientInfo(Device("", "192.0.2.7")))
    assert await find_events(world.env, EventFilter(account_id=eve.id), 10) == before
    assert (await client.get("/api/users/me")).status_code == 200


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
async def test_o23_of_two_at_once_one_is_left(racing_world: World, pair: tuple[str, str]) -> None:
    """O23: two admins, each taken away at the same moment."""
    world = racing_world
    kept, _ = await an_admin(world)
    for _ in range(ROUNDS):
        other, _ = await an_admin(world)
        taken = zip((kept, other), pair, strict=True)
        acts = (TAKE_AWAY[way](world.env, COMMAND_LINE, account) for account, way in taken)
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        assert sorted(isinstance(outcome, LastAdmin) for outcome in outcomes) == [False, True], outcomes
        (left,) = await admins(world)
        kept = kept if left == kept.id else other


async def test_o23_two_admins_who_demote_each_other_do_not_deadlock(racing_world: World) -> None:
    """O23: one wins, and the other is no admin any more when it is their turn."""
    world = racing_world
    for _ in range(ROUNDS):
        pair = [await _in_session(world) for _ in range(2)]
        await _demote_others(world, {account.id for account, _ in pair})
        (eve, as_eve), (ivy, as_ivy) = pair
        acts = (set_role(world.env, as_eve, ivy, Role.USER), set_role(world.env, as_ivy, eve, Role.USER))
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) in (
            [PermissionMissing.__name__, "int"],
            [SessionOver.__name__, "int"],
        )
        assert len(await admins(world)) == 1


async def _in_session(world: World) -> tuple[Account, Operator]:
    account, password = await an_admin(world)
    await world.sign_in(account.email, password)
    async with world.env.store.reading() as read:
        (session,) = await read.sessions.of_account(account.id, 2, world.clock.now())
    return account, Operator(account.id, session.id, "192.0.2.7")


async def _demote_others(world: World, spared: set[str]) -> None:
    for account_id in await admins(world):
        async with world.env.store.reading() as read:
            account = await read.accounts.get(account_id)
        if account is not None and account.id not in spared:
            await set_role(world.env, COMMAND_LINE, account, Role.USER)


@pytest.mark.parametrize("role", [Role.HELPER, Role.USER])
async def test_o24_no_token_with_the_role_before_lives_on(world: World, role: Role) -> None:
    """O24: whichever way the role changes."""
    await an_admin(world)
    account, password = await create_account(
        world.env, COMMAND_LINE, "Ada", "ada@example.com", Role.ADMIN if role is Role.USER else Role.USER
    )
    client = await world.sign_in("ada@example.com", password)
    assert await set_role(world.env, COMMAND_LINE, account, role) == 1
    answer = await client.get("/api/users/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "session_role_changed")
    assert (await client.post("/api/auth/refresh")).json()["code"] == "session_role_changed"
    again = await world.sign_in("ada@example.com", password)
    assert (await again.get("/api/users/me")).json()["data"]["user"]["role"] == role.value
    assert await set_role(world.env, COMMAND_LINE, account, role) is None
    found = await find_events(world.env, EventFilter(kinds=(EventKind.ROLE_CHANGED,)), 10)
    assert [(event.detail["from"], event.detail["to"]) for _, event in found] == [(account.role.value, role.value)]


async def test_o24_an_unverified_email_gets_no_role(world: World) -> None:
    """O24: whoever reads the mail there may be somebody else."""
    await world.register()
    ada = await account_of(world, "ada@example.com")
    assert ada is not None
    for role in (Role.ADMIN, Role.HELPER, Role.AUDITOR):
        with pytest.raises(RoleNeedsVerifiedEmail):
            await set_role(world.env, COMMAND_LINE, ada, role)
    assert await set_role(world.env, COMMAND_LINE, ada, Role.USER) is None


async def test_o23_whoever_verifies_an_email_does_not_remove_the_last_admin(world: World) -> None:
    """O23: who never verified the email, as by an import; once there is another admin, the email's owner gets it."""
    eve, _ = await an_admin(world)
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("UPDATE accounts SET verified = false WHERE id = :id"), {"id": eve.id})
    with pytest.raises(EmailTaken):
        await create_account(world.env, COMMAND_LINE, "Eve", eve.email, Role.USER)
    assert await admins(world) == [eve.id]
    other, _ = await an_admin(world)
    await create_account(world.env, COMMAND_LINE, "Eve", eve.email, Role.USER)
    assert await admins(world) == [other.id]
