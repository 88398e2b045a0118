"""The first page of the console, the way to it, and the page of the doctor."""

from dataclasses import replace

import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_installation_pages import refused_letter
from vestibule.model.accounts import Role
from vestibule.model.findings import fault, fine
from vestibule.model.operators import Console
from vestibule.model.permissions import OF_ROLE
from vestibule.state.health_reports import HealthReport, HealthReports
from vestibule.web.console.parts import PARTS

HTML_PARTS = {permission: f'href="/admin/{slug}"' for permission, (slug, _, _) in PARTS.items()}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.HELPER, Role.AUDITOR])
async def test_the_front_door_has_the_parts_that_the_role_opens(world: World, role: Role) -> None:
    operator = await operator_in(world, role)
    page = (await operator.client.get("/admin")).text
    shown = {permission for permission, link in HTML_PARTS.items() if link in page}
    assert shown == HTML_PARTS.keys() & OF_ROLE[role]
    assert all(page.count(HTML_PARTS[permission]) == 2 for permission in shown), "in the navigation, and on a card"


async def test_refused_emails_are_told_at_the_front_door(world: World) -> None:
    operator = await operator_in(world, Role.HELPER)
    assert "badge bad" not in (await operator.client.get("/admin")).text
    await refused_letter(world)
    page = (await operator.client.get("/admin")).text
    assert 'Emails</a> <span class="badge bad">1</span>' in page


async def test_the_profile_leads_operators_there_and_nobody_else(world: World) -> None:
    for role in Role:
        operator = await operator_in(world, role)
        assert ('href="/admin"' in (await operator.client.get("/profile")).text) == bool(OF_ROLE[role]), role


async def test_the_profile_leads_nobody_to_a_console_that_is_off(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY, console=Console.OFF)) as world:
        operator = await operator_in(world, Role.ADMIN)
        assert 'href="/admin"' not in (await operator.client.get("/profile")).text


FOUND = [fine("redis", "answers"), fault("mail", "no <server>", "Nothing is sent.", "EMAIL_HOST=…")]


async def test_health_says_what_is_wrong_first_and_how_to_mend_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def latest(_: HealthReports) -> HealthReport:
        return HealthReport(world.clock.now(), FOUND)

    monkeypatch.setattr(HealthReports, "latest", latest)
    helper = await operator_in(world, Role.HELPER)
    page = (await helper.client.get("/admin/health")).text
    assert "This can be better:" in page
    assert page.index("no &lt;server&gt;") < page.index("→ EMAIL_HOST=…") < page.index("answers")
    data = (await helper.client.get("/api/admin/health")).json()["data"]
    assert [(finding["severity"], finding["remedy"]) for finding in data["findings"]] == [
        ("fine", ""),
        ("fault", "EMAIL_HOST=…"),
    ]


async def test_health_that_is_not_known_yet_is_said_to_be_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def latest(_: HealthReports) -> None:
        return None

    monkeypatch.setattr(HealthReports, "latest", latest)
    helper = await operator_in(world, Role.HELPER)
    assert "not finished yet" in (await helper.client.get("/admin/health")).text
    assert (await helper.client.get("/api/admin/health")).json()["data"] == {"examined_at": None, "findings": []}
