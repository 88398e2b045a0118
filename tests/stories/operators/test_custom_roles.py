"""O50 to O53: roles that operators make are bounded, recorded, and never come back to somebody who lost them."""

import asyncio
from itertools import chain

import pytest
from sqlalchemy import text

from tests.harness.rounds import rounds
from tests.harness.world import World
from tests.unit.flows.acts import account_of
from vestibule.crypto.entropy import new_id
from vestibule.flows.create_account import create_account
from vestibule.flows.custom_roles import (
    create_custom_role,
    delete_custom_role,
    list_custom_roles,
    set_role_permissions,
    take_from_everybody,
)
from vestibule.flows.delete_account import delete_account
from vestibule.flows.set_custom_roles import set_custom_roles
from vestibule.flows.watch_events import find_events
from vestibule.model.accounts import Account, Role
from vestibule.model.custom_roles import (
    MAX_PERMISSIONS,
    MAX_ROLES,
    MAX_ROLES_OF_ACCOUNT,
    NotAPermission,
    NotARole,
    role_name,
    role_permissions,
)
from vestibule.model.events import EventFilter, EventKind
from vestibule.model.operator_errors import (
    RoleInUse,
    RoleNeedsVerifiedEmail,
    RoleTaken,
    RoleUnknown,
    TooManyRoles,
    TooManyRolesOfAccount,
)
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.permissions import Permission

ROUNDS = rounds(100, suite=5)
BOTH = pytest.mark.any_engine


async def somebody(world: World) -> tuple[Account, str]:
    return await create_account(world.env, COMMAND_LINE, "Ada", f"{new_id()}@example.com", Role.USER)


async def roles_of(world: World, account: Account) -> tuple[str, ...]:
    found = await account_of(world, account.email)
    assert found is not None
    return found.roles


async def make(world: World, *names: str) -> None:
    for name in names:
        await create_custom_role(world.env, COMMAND_LINE, name, ["invoices:read"])


@pytest.mark.parametrize(
    "name",
    ["", "Billing", "1st", "-a", "a b", "a:b", "a/b", "ä", "a\n", "a" * 33, "admin", "helper", "auditor", "user"],
)
def test_o50_what_names_no_role(name: str) -> None:
    with pytest.raises(NotARole):
        role_name(name)


@pytest.mark.parametrize(
    "permission",
    ["", "invoices", "invoices:", ":write", "a:b:c", "A:b", "a:*", "a: b", "a:b ", "a:b\n", "1:b", f"a:{'b' * 47}"],
)
def test_o50_what_is_no_permission(permission: str) -> None:
    with pytest.raises(NotAPermission):
        role_permissions([permission])


@pytest.mark.parametrize(
    "permission", [*Permission, *sorted({f"{each.partition(':')[0]}:of-a-later-version" for each in Permission})]
)
def test_o50_no_role_made_here_has_a_permission_of_vestibule_itself(permission: str) -> None:
    with pytest.raises(NotAPermission, match="Vestibule's own"):
        role_permissions(["invoices:read", permission])


@BOTH
async def test_o50_roles_and_their_permissions_are_bounded(world: World) -> None:
    most = [f"invoices:a{number}" for number in range(MAX_PERMISSIONS)]
    role = await create_custom_role(world.env, COMMAND_LINE, "a" * 32, [*most, *most])
    assert role.permissions == tuple(sorted(most))
    with pytest.raises(NotAPermission):
        await set_role_permissions(world.env, COMMAND_LINE, role.name, [*most, "invoices:b"])
    with pytest.raises(RoleTaken):
        await make(world, role.name)
    await make(world, *(f"r{number}" for number in range(MAX_ROLES - 1)))
    with pytest.raises(TooManyRoles):
        await make(world, "one-more")
    account, _ = await somebody(world)
    with pytest.raises(TooManyRolesOfAccount):
        await set_custom_roles(world.env, COMMAND_LINE, account, [f"r{n}" for n in range(MAX_ROLES_OF_ACCOUNT + 1)])
    longest = ["a" * 32, *(f"r{number}" for number in range(MAX_ROLES_OF_ACCOUNT - 1))]
    await set_custom_roles(world.env, COMMAND_LINE, account, longest)
    assert await roles_of(world, account) == tuple(longest)


@BOTH
async def test_o51_new_roles_end_the_sessions_and_say_what_was_before(world: World) -> None:
    account, password = await somebody(world)
    await make(world, "billing", "editor")
    client = await world.sign_in(account.email, password)
    assert await set_custom_roles(world.env, COMMAND_LINE, account, ["editor", "billing", "editor"]) == 1
    answer = await client.get("/api/users/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "session_role_changed")
    assert (await client.post("/api/auth/refresh")).json()["code"] == "session_role_changed"
    assert await set_custom_roles(world.env, COMMAND_LINE, account, ["billing", "editor"]) is None
    await set_custom_roles(world.env, COMMAND_LINE, account, [])
    assert await roles_of(world, account) == ()
    found = await find_events(world.env, EventFilter(kinds=(EventKind.ROLES_CHANGED,)), 10)
    assert [(e.account_id, e.detail["from"], e.detail["to"]) for _, e in found] == [
        (account.id, "", "billing editor"),
        (account.id, "billing editor", ""),
    ]


@BOTH
async def test_o51_an_unverified_email_gets_no_role(world: World) -> None:
    await world.register()
    await make(world, "billing")
    ada = await account_of(world, "ada@example.com")
    assert ada is not None
    with pytest.raises(RoleNeedsVerifiedEmail):
        await set_custom_roles(world.env, COMMAND_LINE, ada, ["billing"])
    assert await roles_of(world, ada) == ()


@BOTH
async def test_o51_a_role_is_taken_also_where_none_would_be_given(world: World) -> None:
    account, _ = await somebody(world)
    await make(world, "billing", "editor")
    await set_custom_roles(world.env, COMMAND_LINE, account, ["billing", "editor"])
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("UPDATE accounts SET verified = false WHERE id = :id"), {"id": account.id})
    await make(world, "viewer")
    with pytest.raises(RoleNeedsVerifiedEmail):
        await set_custom_roles(world.env, COMMAND_LINE, account, ["billing", "editor", "viewer"])
    assert await take_from_everybody(world.env, COMMAND_LINE, "billing") == 1
    assert await roles_of(world, account) == ("editor",)


@BOTH
async def test_o51_a_role_that_does_not_exist_is_given_to_nobody(world: World) -> None:
    account, _ = await somebody(world)
    await make(world, "billing")
    with pytest.raises(RoleUnknown, match="editor"):
        await set_custom_roles(world.env, COMMAND_LINE, account, ["billing", "editor"])
    assert await roles_of(world, account) == ()


@BOTH
async def test_o52_a_role_that_somebody_has_is_not_deleted(world: World) -> None:
    """O52: unless it was taken from all; a name that is made anew gives nobody anything."""
    people = [await somebody(world) for _ in range(3)]
    await make(world, "billing", "editor")
    for account, _ in people:
        await set_custom_roles(world.env, COMMAND_LINE, account, ["billing", "editor"])
    client = await world.sign_in(people[0][0].email, people[0][1])
    with pytest.raises(RoleInUse):
        await delete_custom_role(world.env, COMMAND_LINE, "billing")
    taken = [await take_from_everybody(world.env, COMMAND_LINE, "billing", 2) for _ in range(3)]
    assert taken == [2, 1, 0]
    await delete_custom_role(world.env, COMMAND_LINE, "billing")
    with pytest.raises(RoleUnknown):
        await delete_custom_role(world.env, COMMAND_LINE, "billing")
    assert (await client.get("/api/users/me")).json()["code"] == "session_role_changed"
    await make(world, "billing")
    assert {await roles_of(world, account) for account, _ in people} == {("editor",)}


@BOTH
async def test_o52_a_deleted_account_has_no_role(world: World) -> None:
    account, _ = await somebody(world)
    await make(world, "billing")
    await set_custom_roles(world.env, COMMAND_LINE, account, ["billing"])
    await delete_account(world.env, COMMAND_LINE, account)
    await delete_custom_role(world.env, COMMAND_LINE, "billing")


async def test_o53_of_many_who_make_the_last_role_one_does(racing_world: World) -> None:
    """O53: the 33rd role is refused, also when several are made at the same moment."""
    world = racing_world
    await make(world, *(f"r{number}" for number in range(MAX_ROLES - 1)))
    for _ in range(ROUNDS):
        acts = (make(world, f"last{number}") for number in range(4))
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        assert sorted(isinstance(outcome, TooManyRoles) for outcome in outcomes) == [False, True, True, True], outcomes
        (last,) = [role.name for role in await list_custom_roles(world.env) if role.name.startswith("last")]
        await delete_custom_role(world.env, COMMAND_LINE, last)


async def test_o53_of_two_who_make_one_role_one_does(racing_world: World) -> None:
    world = racing_world
    for _ in range(ROUNDS):
        outcomes = await asyncio.gather(*(make(world, "billing") for _ in range(2)), return_exceptions=True)
        assert sorted(isinstance(outcome, RoleTaken) for outcome in outcomes) == [False, True], outcomes
        await delete_custom_role(world.env, COMMAND_LINE, "billing")


async def test_o53_a_role_is_deleted_or_given_never_both(racing_world: World) -> None:
    world = racing_world
    account, _ = await somebody(world)
    for _ in range(ROUNDS):
        await make(world, "billing")
        outcomes = await asyncio.gather(
            delete_custom_role(world.env, COMMAND_LINE, "billing"),
            set_custom_roles(world.env, COMMAND_LINE, account, ["billing"]),
            return_exceptions=True,
        )
        deleted, given = outcomes
        assert (deleted is None) == isinstance(given, RoleUnknown), outcomes
        assert isinstance(deleted, RoleInUse | None), outcomes
        assert await roles_of(world, account) == (("billing",) if deleted else ())
        await set_custom_roles(world.env, COMMAND_LINE, account, [])
        if deleted:
            await delete_custom_role(world.env, COMMAND_LINE, "billing")


async def test_o53_what_two_operators_set_is_what_one_of_them_set(racing_world: World) -> None:
    """O53: the roles of an account, and the permissions of a role; each event says what was before."""
    world = racing_world
    account, _ = await somebody(world)
    names = ["billing", "editor", "viewer"]
    await make(world, *names)
    for _ in range(ROUNDS):
        await asyncio.gather(
            *(set_custom_roles(world.env, COMMAND_LINE, account, [name]) for name in names),
            *(set_role_permissions(world.env, COMMAND_LINE, "billing", [f"a:{name}"]) for name in names),
        )
    for kind in (EventKind.ROLES_CHANGED, EventKind.ROLE_PERMISSIONS_CHANGED):
        found = [event for _, event in await find_events(world.env, EventFilter(kinds=(kind,)), 100_000)]
        steps = list(chain.from_iterable((event.detail["from"], event.detail["to"]) for event in found))
        assert steps[1:-1:2] == steps[2::2]
    (left,) = await roles_of(world, account)
    async with world.env.store.reading() as read:
        assert [name for name in names if account.id in await read.custom_roles.holders(name, 5)] == [left]
