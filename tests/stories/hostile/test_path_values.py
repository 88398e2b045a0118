"""H20: whatever stands in a path for an id or a code is judged by its form before anything is asked of it."""

import re
from urllib.parse import quote

import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import BASE, World
from tests.stories.operators.people import operator_in
from vestibule.model.accounts import Role
from vestibule.web.map_lines import Page, Route
from vestibule.web.map_reading import PAGES, ROUTES

ODD = {
    "NUL": "%00",
    "NUL within": "a%00b",
    "surrogate": "%ED%A0%80",
    "no UTF-8": "%FF%FE",
    "10 kB": "x" * 10_000,
    "beyond the BMP": quote("\U0010ffff" * 36),
    "control": "%1b%5b31m%0d%0a",
    "quotes": quote("'\";--"),
    "dots": "%2e%2e%2f%2e%2e",
}
WITH_VALUES = {f"{line.method} {line.path}": line for line in (*ROUTES, *PAGES) if "{" in line.path}


@pytest.mark.parametrize("line", WITH_VALUES.values(), ids=WITH_VALUES)
async def test_h20_no_value_in_a_path_is_a_fault_of_ours(world: World, line: Route | Page) -> None:
    """H20: by who is signed in and may do everything, and with what a page sends beside it."""
    if line.permission is None:
        await world.register()
        browser = await world.sign_in()
    else:
        browser = (await operator_in(world, Role.ADMIN)).client
    browser.headers["Origin"] = BASE
    csrf = csrf_in(await browser.get("/profile/security"))
    sent = {"data": {"csrf": csrf}} if isinstance(line, Page) and line.method == "POST" else {}
    if line.method == "PATCH":
        sent = {"json": {"password": "battery staple", "passwordConfirm": "battery staple"}}
    statuses = {}
    for name, value in ODD.items():
        answer = await browser.request(line.method, re.sub(r"\{\w+\}", value, line.path), **sent)  # type: ignore[arg-type]
        statuses[name] = answer.status_code
    assert {name: status for name, status in statuses.items() if status >= 500} == {}
    if line.method == "DELETE":
        assert set(statuses.values()) == {404}
    assert (await browser.get("/api/users/me")).status_code == 200
