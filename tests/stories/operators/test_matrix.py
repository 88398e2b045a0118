"""O21, O22: role by line of the URL map, made from the map; and what else the gate of operators asks for."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.operators.people import ONE_FACTOR, Browser, SignIn, operator_in
from vestibule.model.accounts import Role
from vestibule.model.operators import Console
from vestibule.model.permissions import OF_ROLE, Permission
from vestibule.web.map_lines import Line, Page
from vestibule.web.map_reading import PAGES, ROUTES

pytestmark = pytest.mark.any_engine
LINES = [line for line in (*ROUTES, *PAGES) if line.path.startswith(("/admin", "/api/admin"))]
EVERY_LINE = pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.method} {line.path}")
NOT_PERMITTED = "<h1>You may not do this</h1>"
STALE = SignIn(ago=timedelta(minutes=15, seconds=1))
ALMOST_STALE = SignIn(ago=timedelta(minutes=15))
BY_PASSWORD = SignIn(ONE_FACTOR)
WITHOUT_FACTOR = SignIn(ONE_FACTOR, has_factor=False)


async def ask(line: Line, client: httpx.AsyncClient, form: dict[str, str]) -> httpx.Response:
    path = re.sub(r"\{\w+\}", "0" * 36, line.path)
    if line.method == "GET":
        return await client.request("GET", path)
    if isinstance(line, Page):
        return await client.request(line.method, path, data=form)
    return await client.request(line.method, path, json={})


async def outcome(line: Line, browser: Browser) -> str:
    """What the gate said: `permission_missing`, `reauthentication_required`, `enrol`, or nothing."""
    answer = await ask(line, browser.client, browser.form)
    if not isinstance(line, Page):
        code = answer.json().get("code", "") if answer.is_error else ""
        gate = code in {"permission_missing", "reauthentication_required"}
        return ("enrol" if "set one up" in answer.json()["message"] else code) if gate else ""
    if NOT_PERMITTED in answer.text:
        return "permission_missing"
    target = answer.headers.get("location", "")
    if "notice=factor_needed" in target:
        return "enrol"
    return "reauthentication_required" if target.startswith("/reauthenticate") else ""


def test_o21_every_line_of_operators_names_its_permission() -> None:
    assert LINES
    assert [line.path for line in LINES if line.permission is None] == []
    elsewhere = [line.path for line in (*ROUTES, *PAGES) if line.permission is not None and line not in LINES]
    assert elsewhere == []


@EVERY_LINE
@pytest.mark.parametrize("role", Role)
async def test_o21_a_role_opens_only_its_own_lines(world: World, line: Line, role: Role) -> None:
    """O21: by the table of permissions; every line is asked by every role."""
    permitted = line.permission in OF_ROLE[role]
    assert await outcome(line, await operator_in(world, role)) == ("" if permitted else "permission_missing")


@EVERY_LINE
async def test_o21_nobody_is_led_to_the_sign_in(world: World, line: Line) -> None:
    answer = await ask(line, await world.client("http://localhost:8000"), {})
    if isinstance(line, Page):
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@EVERY_LINE
@pytest.mark.parametrize(
    ("sign_in", "said"),
    [
        pytest.param(STALE, "reauthentication_required", id="too long ago"),
        pytest.param(ALMOST_STALE, "", id="just recent enough"),
        pytest.param(BY_PASSWORD, "reauthentication_required", id="by password alone"),
        pytest.param(WITHOUT_FACTOR, "enrol", id="without any factor"),
    ],
)
async def test_o22_the_sign_in_is_recent_and_by_two_factors(
    world: World, line: Line, sign_in: SignIn, said: str
) -> None:
    """O22: whatever the role, and by the token alone."""
    assert await outcome(line, await operator_in(world, Role.ADMIN, sign_in)) == said


async def test_o22_what_would_satisfy_it_is_named(world: World) -> None:
    browser = await operator_in(world, Role.AUDITOR, BY_PASSWORD)
    refused = (await browser.client.get("/api/admin/me")).json()
    assert (refused["satisfied_by"], refused["max_age"]) == (["passkey"], 900)
    browser = await operator_in(world, Role.AUDITOR, WITHOUT_FACTOR)
    refused = (await browser.client.get("/api/admin/me")).json()
    assert (refused["satisfied_by"], refused["max_age"]) == (["totp", "passkey"], 900)
    assert refused["message"].endswith("set one up at http://localhost:8000/profile/security")


async def test_an_operator_is_told_what_they_may_do(world: World) -> None:
    browser = await operator_in(world, Role.HELPER, SignIn(ago=timedelta(minutes=5)))
    data = (await browser.client.get("/api/admin/me")).json()["data"]
    assert data["role"] == "helper"
    assert set(data["permissions"]) == OF_ROLE[Role.HELPER]
    now = world.clock.now().replace(microsecond=0)
    assert data["signed_in_until"].startswith((now + timedelta(minutes=10)).isoformat()[:19])
    page = await browser.client.get("/admin")
    assert page.status_code == 200
    assert "As a helper, you may look people up" in page.text
    assert Permission.PEOPLE_LETTERS.value in page.text
    assert Permission.PEOPLE_DELETE.value not in page.text


@pytest.fixture
async def without_factors(backend: Backend) -> AsyncIterator[World]:
    async with world_on(backend, replace(POLICY, console=Console.PASSWORD)) as world:
        yield world


@EVERY_LINE
@pytest.mark.parametrize(
    ("sign_in", "said"),
    [
        pytest.param(WITHOUT_FACTOR, "", id="without any factor"),
        pytest.param(BY_PASSWORD, "reauthentication_required", id="with one that was not used"),
        pytest.param(replace(WITHOUT_FACTOR, ago=STALE.ago), "reauthentication_required", id="too long ago"),
    ],
)
async def test_o22_by_setting_a_password_is_enough_for_who_has_no_factor(
    without_factors: World, line: Line, sign_in: SignIn, said: str
) -> None:
    assert await outcome(line, await operator_in(without_factors, Role.ADMIN, sign_in)) == said


@EVERY_LINE
async def test_o22_by_setting_there_is_no_console(backend: Backend, line: Line) -> None:
    async with world_on(backend, replace(POLICY, console=Console.OFF)) as world:
        browser = await operator_in(world, Role.ADMIN)
        assert (await ask(line, browser.client, browser.form)).status_code == 404


async def test_o21_who_has_removed_the_last_factor_is_no_operator_any_more(world: World) -> None:
    """O21: though the token says two factors until it expires."""
    admin = await operator_in(world, Role.ADMIN)
    assert (await admin.client.get("/api/admin/people")).status_code == 200
    async with world.env.store.transaction() as tx:
        for passkey in await tx.passkeys.of_account(admin.account.id):
            await tx.passkeys.remove(admin.account.id, passkey.id)
    answer = await admin.client.get("/api/admin/people")
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
