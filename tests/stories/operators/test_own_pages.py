"""O98: the console belongs to its own pages: no script of a front-end, be it a listed one, presses a button or reads a
form's secret, and no link says what was not done.
"""

import re

import pytest

from tests.harness.world import FRONT_END, World
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_search_page import AT, add, shown
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Role
from vestibule.web.map_lines import Page
from vestibule.web.map_reading import PAGES

pytestmark = pytest.mark.any_engine
CONSOLE = [page for page in PAGES if page.permission]
FORMS = [page for page in CONSOLE if page.method == "POST"]
READ = [page for page in CONSOLE if page.method == "GET"]
BY_A_SCRIPT = [
    {"Origin": FRONT_END, "Sec-Fetch-Site": "same-site"},
    {"Origin": FRONT_END, "Sec-Fetch-Site": "cross-site"},
    {"Origin": FRONT_END},
]
PATH = re.compile(r"\{\w+\}")


@pytest.mark.parametrize("sent", BY_A_SCRIPT, ids=lambda sent: sent.get("Sec-Fetch-Site", "no Fetch Metadata"))
@pytest.mark.parametrize("page", FORMS, ids=lambda page: page.path)
async def test_o98_no_front_end_sends_a_form_of_the_console(world: World, page: Page, sent: dict[str, str]) -> None:
    """O98: with the operator's cookies, and the secret that ties forms to the session."""
    admin = await operator_in(world, Role.ADMIN)
    answer = await admin.client.post(PATH.sub("0" * 36, page.path), data=admin.form, headers=sent)
    assert answer.status_code == 403, answer.headers.get("location")


async def test_o98_no_front_end_makes_anybody_an_admin(world: World) -> None:
    """O98: as it was shown: the form's secret was read with the access token alone, and the form sent by a script."""
    mal, admin = await add(world, "mal@example.com"), await operator_in(world, Role.ADMIN)
    path, form = f"{AT}/{mal.id}/set-role", {**admin.form, "role": "admin"}
    assert (await admin.client.post(path, data=form, headers=BY_A_SCRIPT[0])).status_code == 403
    found = await find_account(world.env, mal.email)
    assert found is not None
    assert found.role is Role.USER
    assert (await admin.client.post(path, data=form)).headers["location"].endswith("done=set-role")


@pytest.mark.parametrize("page", READ, ids=lambda page: page.path)
async def test_o98_no_page_is_read_with_an_access_token_alone(world: World, page: Page) -> None:
    """O98: services have such tokens."""
    admin = await operator_in(world, Role.ADMIN)
    access = re.search("access_token=[^;]+", admin.client.headers["Cookie"])
    assert access
    admin.client.headers["Cookie"] = access[0]
    answer = await admin.client.get(PATH.sub("0" * 36, page.path))
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")


@pytest.mark.parametrize(("site", "is_told"), [("same-origin", True), ("cross-site", False), ("none", False)])
async def test_o98_a_link_from_elsewhere_says_nothing(world: World, site: str, is_told: bool) -> None:
    ada, admin = await add(world, "ada@example.com"), await operator_in(world, Role.ADMIN)
    page = await admin.client.get(f"{AT}/{ada.id}?done=disable", headers={"Sec-Fetch-Site": site})
    assert ("The account is disabled." in shown(page.text)) == is_told
