"""O58: custom roles by the admin API: the flows of the command line, and what is wrong is refused before them."""

from typing import Any

import httpx
import pytest

from tests.harness.world import World
from tests.stories.operators.people import Browser, operator_in
from tests.stories.operators.test_custom_roles import make, roles_of, somebody
from tests.stories.operators.test_installation_pages import last_event
from vestibule.flows.custom_roles import list_custom_roles, list_held_roles
from vestibule.flows.set_custom_roles import set_custom_roles
from vestibule.model.accounts import Role
from vestibule.model.custom_roles import MAX_PERMISSIONS, MAX_ROLES, MAX_ROLES_OF_ACCOUNT
from vestibule.model.events import EventKind
from vestibule.model.operators import COMMAND_LINE

pytestmark = pytest.mark.any_engine
AT, PEOPLE = "/api/admin/roles", "/api/admin/people"


async def ask(operator: Browser, method: str, path: str = AT, **body: Any) -> httpx.Response:
    return await operator.client.request(method, path, json=body)


async def listed(operator: Browser) -> dict[str, tuple[list[str], int]]:
    roles = (await operator.client.get(AT)).json()["data"]["roles"]
    return {role["name"]: (role["permissions"], role["holders"]) for role in roles}


async def test_o58_a_role_is_made_changed_given_taken_and_deleted(world: World) -> None:
    """O58: each step an event with its operator, and with what was before and after."""
    admin, (ada, password) = await operator_in(world, Role.ADMIN), await somebody(world)
    made = await ask(admin, "POST", name="billing", permissions=["invoices:write", "invoices:read"])
    assert made.status_code == 201, made.text
    role = made.json()["data"]["role"]
    assert (role["name"], role["permissions"]) == ("billing", ["invoices:read", "invoices:write"])
    told = await last_event(world, EventKind.ROLE_CREATED)
    assert (told.actor_id, told.detail["custom_role"]) == (admin.account.id, "billing")
    for changed in (True, False):
        answer = await ask(admin, "PATCH", f"{AT}/billing", permissions=["invoices:read"])
        assert answer.json() == {"status": "success", "data": {"changed": changed}}
    told = await last_event(world, EventKind.ROLE_PERMISSIONS_CHANGED)
    assert (told.detail["from"], told.detail["to"]) == ("invoices:read invoices:write", "invoices:read")
    client = await world.sign_in(ada.email, password)
    given = await ask(admin, "POST", f"{PEOPLE}/{ada.id}/set-roles", roles=["billing"])
    assert given.json()["data"] == {"changed": True}
    assert (await client.get("/api/users/me")).json()["code"] == "session_role_changed"
    assert (await admin.client.get(f"{PEOPLE}/{ada.id}")).json()["data"]["account"]["roles"] == ["billing"]
    assert await listed(admin) == {"billing": (["invoices:read"], 1)}
    kept = await ask(admin, "DELETE", f"{AT}/billing")
    assert (kept.status_code, kept.json()["code"]) == (409, "role_in_use")
    for taken in (1, 0):
        assert (await ask(admin, "DELETE", f"{AT}/billing/holders")).json()["data"] == {"taken": taken}
    told = await last_event(world, EventKind.ROLES_CHANGED)
    assert (told.actor_id, told.account_id, told.detail["to"]) == (admin.account.id, ada.id, "")
    assert (await ask(admin, "DELETE", f"{AT}/billing")).json() == {"status": "success"}
    assert (await last_event(world, EventKind.ROLE_DELETED)).actor_id == admin.account.id
    assert (await listed(admin), await roles_of(world, ada)) == ({}, ())


MANY = [f"invoices:a{number}" for number in range(MAX_PERMISSIONS + 1)]


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "Billing"}, "name"),
        ({"name": "a\0"}, "name"),
        ({"name": "admin"}, "name"),
        ({"name": "billing", "permissions": "a:b"}, "permissions"),
        ({"name": "billing", "permissions": [7]}, "permissions"),
        ({"name": "billing", "permissions": ["a:b\0"]}, "permissions"),
        ({"name": "billing", "permissions": ["people:read"]}, "permissions"),
        ({"name": "billing", "permissions": ["roles:change"]}, "permissions"),
        ({"name": "billing", "permissions": MANY}, "permissions"),
    ],
)
async def test_o58_what_cannot_be_a_role_is_said_of_its_member(world: World, body: dict[str, Any], member: str) -> None:
    admin = await operator_in(world, Role.ADMIN)
    answer = await ask(admin, "POST", **body)
    assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid"), answer.text
    assert [entry["path"] for entry in answer.json()["errors"]] == [["body", member]]
    assert await list_custom_roles(world.env) == []


async def test_o58_what_cannot_be_done_has_a_code_of_its_own(world: World) -> None:
    admin, (ada, _) = await operator_in(world, Role.ADMIN), await somebody(world)
    await make(world, *(f"r{number}" for number in range(MAX_ROLES)))
    at = f"{PEOPLE}/{ada.id}/set-roles"
    nine = [f"r{number}" for number in range(MAX_ROLES_OF_ACCOUNT + 1)]
    for method, path, body, status, code in (
        ("POST", AT, {"name": "r1"}, 409, "role_taken"),
        ("POST", AT, {"name": "more"}, 409, "too_many_roles"),
        ("POST", at, {"roles": nine}, 409, "too_many_roles_of_account"),
        ("POST", at, {"roles": ["r1", "gone"]}, 404, "role_unknown"),
        ("POST", at, {"roles": ["helper"]}, 400, "body_invalid"),
        ("POST", at, {"roles": ["r1\0"]}, 400, "body_invalid"),
        ("POST", at, {"roles": "r1"}, 400, "body_invalid"),
        ("POST", at, {}, 400, "body_invalid"),
    ):
        answer = await ask(admin, method, path, **body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (path, body)
    for name in ("nobody", "admin", "%00", "a" * 300, "R1"):
        for method, path, body in (
            ("PATCH", f"{AT}/{name}", {"permissions": []}),
            ("DELETE", f"{AT}/{name}", {}),
            ("DELETE", f"{AT}/{name}/holders", {}),
        ):
            answer = await ask(admin, method, path, **body)
            assert (answer.status_code, answer.json()["code"]) == (404, "role_unknown"), (method, path)
    assert await roles_of(world, ada) == ()


async def test_o58_an_auditor_reads_roles_and_changes_none(world: World) -> None:
    await make(world, "billing")
    auditor, helper = await operator_in(world, Role.AUDITOR), await operator_in(world, Role.HELPER)
    assert await listed(auditor) == {"billing": (["invoices:read"], 0)}
    assert (await helper.client.get(AT)).json()["code"] == "permission_missing"
    assert (await ask(auditor, "PATCH", f"{AT}/billing", permissions=[])).json()["code"] == "permission_missing"


async def test_o58_who_has_a_role_is_counted_up_to_a_bound(world: World) -> None:
    await make(world, "billing", "editor", "viewer")
    for roles in (["billing"], ["billing", "editor"], ["billing"]):
        await set_custom_roles(world.env, COMMAND_LINE, (await somebody(world))[0], roles)
    held = [(each.role.name, each.holders) for each in await list_held_roles(world.env)]
    assert held == [("billing", 3), ("editor", 1), ("viewer", 0)]
    async with world.env.store.reading() as read:
        assert [each.holders for each in await read.custom_roles.held(2)] == [2, 1, 0]
