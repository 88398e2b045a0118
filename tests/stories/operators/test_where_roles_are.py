"""Where an account's custom roles are told: to its owner, to services behind a proxy, and to operators."""

import json

import pytest
from sqlalchemy import text

from tests.harness.world import World
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_custom_roles import make, somebody
from vestibule.flows.set_custom_roles import set_custom_roles
from vestibule.model.accounts import Account, Role
from vestibule.model.operators import COMMAND_LINE

pytestmark = pytest.mark.any_engine
ROLES = ["billing", "editor-2"]


async def with_roles(world: World) -> tuple[Account, str]:
    account, password = await somebody(world)
    await make(world, *ROLES)
    await set_custom_roles(world.env, COMMAND_LINE, account, ROLES)
    return account, password


async def test_the_owner_is_told(world: World) -> None:
    account, password = await with_roles(world)
    client = await world.sign_in(account.email, password)
    assert (await client.get("/api/users/me")).json()["data"]["user"]["roles"] == ROLES
    renamed = await client.patch("/api/users/me", json={"name": "Augusta"})
    assert renamed.json()["data"]["user"]["roles"] == ROLES
    assert json.loads((await client.get("/profile/data")).text)["account"]["roles"] == ROLES


async def test_who_has_none_is_told_what_the_contract_says(world: World) -> None:
    await world.register()
    client = await world.sign_in()
    assert "roles" not in (await client.get("/api/users/me")).json()["data"]["user"]
    assert (await client.get("/api/auth/verify")).headers["vestibule-roles"] == ""


async def test_a_service_behind_a_proxy_is_told_in_a_header_that_is_safe(world: World) -> None:
    """Also if a row has what no role is called."""
    account, password = await with_roles(world)
    client = await world.sign_in(account.email, password)
    assert (await client.get("/api/auth/verify")).headers["vestibule-roles"] == "billing editor-2"
    async with world.engines.sqlalchemy_transaction() as connection:
        odd = {"roles": "billing X\r\nVestibule-Role:admin <b> editor-2", "id": account.id}
        await connection.execute(text("UPDATE accounts SET roles = :roles WHERE id = :id"), odd)
    client = await world.sign_in(account.email, password)
    headers = (await client.get("/api/auth/verify")).headers
    assert (headers["vestibule-roles"], headers["vestibule-role"]) == ("billing editor-2", "user")


async def test_a_client_chooses_none(world: World) -> None:
    await world.register()
    client = await world.sign_in()
    answer = await client.get("/api/auth/verify", headers={"Vestibule-Roles": "billing"})
    assert (answer.status_code, answer.json()["code"]) == (400, "reserved_header")


async def test_operators_are_told(world: World) -> None:
    account, _ = await with_roles(world)
    auditor = await operator_in(world, Role.AUDITOR)
    shown = (await auditor.client.get(f"/api/admin/people/{account.id}")).json()["data"]["account"]
    listed = (await auditor.client.get("/api/admin/people", params={"search": account.email})).json()["data"]["people"]
    assert (shown["roles"], [person["roles"] for person in listed]) == (ROLES, [ROLES])
    assert "billing, editor-2" in (await auditor.client.get(f"/admin/people/{account.id}")).text
