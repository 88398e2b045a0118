"""O59: custom roles on the console: made, changed, given, taken and deleted by forms alone."""

from html import unescape

import httpx
import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_custom_roles import make, roles_of, somebody
from tests.stories.operators.test_search_page import shown
from tests.unit.web.test_refused_forms import at_console, landed
from vestibule.flows.custom_roles import TAKEN_AT_ONCE, list_custom_roles, list_held_roles
from vestibule.flows.set_custom_roles import set_custom_roles
from vestibule.model.accounts import Role
from vestibule.model.custom_roles import MAX_ROLES
from vestibule.model.operators import COMMAND_LINE

pytestmark = pytest.mark.any_engine
ROLES = "/admin/roles"


async def send(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """The page after a form of this path was sent, as a browser shows it."""
    csrf = csrf_in(await client.get(path))
    return await landed(client, await client.post(path, data={"csrf": csrf, **fields}))


async def test_o59_a_role_is_made_changed_given_taken_and_deleted(world: World) -> None:
    """O59: each form leads on and says what was done."""
    admin, (ada, _) = await at_console(world), await somebody(world)
    assert "No role was made yet." in (await admin.get(ROLES)).text
    page = await send(admin, f"{ROLES}/new", name="billing", permissions="invoices:write\r\n invoices:read ")
    assert (page.url.path, "The role is created." in page.text) == (ROLES, True)
    assert "billing people: 0 invoices:read invoices:write" in shown(page.text)
    asked = (await admin.get(f"{ROLES}/billing/permissions")).text
    assert ">invoices:read\ninvoices:write</textarea>" in asked
    page = await send(admin, f"{ROLES}/billing/permissions", permissions="invoices:read")
    assert "The permissions are changed." in page.text
    page = await send(admin, f"{ROLES}/billing/permissions", permissions="invoices:read")
    assert "Nothing was changed" in page.text
    at = f"/admin/people/{ada.id}"
    assert f'href="{at}/set-roles"' in (await admin.get(at)).text
    page = await send(admin, f"{at}/set-roles", **{"roles.billing": "on"})
    assert "The roles for services are changed." in page.text
    assert "Roles for servicesbilling" in shown(page.text)
    assert "checked" in (await admin.get(f"{at}/set-roles")).text
    assert "people: 1" in (await admin.get(ROLES)).text
    asked = (await admin.get(f"{ROLES}/billing/delete")).text
    assert ("Take it from everybody first." in asked, 'type="submit">Delete' in asked) == (True, False)
    refused = await landed(
        admin, await admin.post(f"{ROLES}/billing/delete", data={"csrf": csrf_in(await admin.get(ROLES + "/new"))})
    )
    assert 'role="alert">Somebody has this role.' in refused.text
    page = await send(admin, f"{ROLES}/billing/take")
    assert (page.url.path, await roles_of(world, ada)) == (ROLES, ())
    page = await send(admin, f"{ROLES}/billing/delete")
    assert "The role is deleted." in page.text
    assert await list_custom_roles(world.env) == []


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"name": "", "permissions": ""}, "name", "begin with a letter"),
        ({"name": "Billing", "permissions": "invoices:read"}, "name", "begin with a letter"),
        ({"name": "auditor", "permissions": ""}, "name", "built-in role cannot be used"),
        ({"name": "billing", "permissions": "read <all>"}, "permissions", "Write permissions like invoices:write"),
        (
            {"name": "billing", "permissions": "people:read"},
            "permissions",
            "events:, health:, keys:, letters:, people:, roles:, services:",
        ),
        (
            {"name": "billing", "permissions": "events:clear"},
            "permissions",
            "events:, health:, keys:, letters:, people:, roles:, services:",
        ),
        ({"name": "editor", "permissions": "a:b"}, "name", "There is a role of this name already."),
    ],
)
async def test_o59_what_is_wrong_is_said_at_its_field(
    world: World, fields: dict[str, str], field: str, says: str
) -> None:
    """O59: and what was typed is still there."""
    await make(world, "editor")
    admin = await at_console(world)
    page = await send(admin, f"{ROLES}/new", **fields)
    assert (page.status_code, page.url.path) == (200, f"{ROLES}/new")
    assert f'id="{field}-fault" role="alert"' in page.text
    assert says in page.text
    text = unescape(page.text)
    assert f'value="{fields["name"]}"' in text
    assert f">{fields['permissions']}</textarea>" in text
    assert [role.name for role in await list_custom_roles(world.env)] == ["editor"]


async def test_o59_wrong_permissions_of_a_role_come_back_as_typed(world: World) -> None:
    await make(world, "editor")
    admin = await at_console(world)
    page = await send(admin, f"{ROLES}/editor/permissions", permissions="all of it")
    assert 'id="permissions-fault" role="alert"' in page.text
    assert ">all of it</textarea>" in page.text
    (role,) = await list_custom_roles(world.env)
    assert role.permissions == ("invoices:read",)


async def test_o59_the_thirty_third_role_is_said_to_be_one_too_many(world: World) -> None:
    await make(world, *(f"r{number}" for number in range(MAX_ROLES)))
    admin = await at_console(world)
    assert "There can be 32 roles." in (await send(admin, f"{ROLES}/new", name="more", permissions="")).text


async def test_o59_all_the_boxes_of_all_roles_can_be_sent(world: World) -> None:
    """O59: more than eight are refused in words."""
    names = [f"r{number}" for number in range(MAX_ROLES)]
    await make(world, *names)
    admin, (ada, _) = await at_console(world), await somebody(world)
    at = f"/admin/people/{ada.id}/set-roles"
    page = await send(admin, at, **{f"roles.{name}": "on" for name in names})
    assert "An account can have at most 8 roles for services." in page.text
    assert page.text.count('type="checkbox" checked') == len(names), "as they were"
    page = await send(admin, at, **{"roles.gone": "on"})
    assert "One of these roles was deleted meanwhile." in page.text
    assert await roles_of(world, ada) == ()


async def test_o59_many_people_lose_a_role_step_by_step(world: World) -> None:
    await make(world, "billing")
    for _ in range(3):
        await set_custom_roles(world.env, COMMAND_LINE, (await somebody(world))[0], ["billing"])
    admin = await at_console(world)
    assert f"at most {TAKEN_AT_ONCE} people" in (await admin.get(f"{ROLES}/billing/take")).text
    page = await send(admin, f"{ROLES}/billing/take")
    assert (page.url.path, "was taken from people" in page.text) == (ROLES, True)
    assert [held.holders for held in await list_held_roles(world.env)] == [0]


@pytest.mark.parametrize("path", ["nobody/permissions", "nobody/take", "nobody/delete", "%00/delete", "Nobody/take"])
async def test_o59_a_role_that_is_not_there_has_no_page(world: World, path: str) -> None:
    operator = await operator_in(world, Role.ADMIN)
    assert (await operator.client.get(f"{ROLES}/{path}")).status_code == 404
    assert (await operator.client.post(f"{ROLES}/{path}", data=operator.form)).status_code == 404


async def test_o59_an_auditor_sees_roles_without_buttons(world: World) -> None:
    await make(world, "billing")
    auditor = await operator_in(world, Role.AUDITOR)
    page = (await auditor.client.get(ROLES)).text
    assert ("billing" in page, "/delete" in page, f"{ROLES}/new" in page) == (True, False, False)
