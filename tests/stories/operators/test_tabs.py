"""Every page of the console says to which of its parts it belongs."""

import re

import pytest

from tests.harness.world import World
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_custom_roles import make
from vestibule.flows.service_keys import create_service_key
from vestibule.model.accounts import Role
from vestibule.web.map_reading import PAGES

FILES = {"/admin/events/export", "/admin/services/created"}
"""A file; and a page that leads on once its key was shown."""
SCREENS = [
    page.path for page in PAGES if page.method == "GET" and page.path.startswith("/admin") and page.path not in FILES
]
TAB = re.compile(r'<a href="([^"]+)" aria-current="(page|true)">')
OF_PEOPLE = ("/admin/people", "/admin/invite", "/admin/create")


@pytest.mark.parametrize("path", SCREENS)
async def test_each_screen_has_one_tab_that_is_open(world: World, path: str) -> None:
    admin = await operator_in(world, Role.ADMIN)
    async with world.env.store.reading() as read:
        (session,) = await read.sessions.of_account(admin.account.id, 1, world.clock.now())
    await make(world, "billing")
    await create_service_key(world.env, "billing")
    at = path.format(account_id=admin.account.id, session_id=session.id, name="billing")
    page = await admin.client.get(at)
    assert page.status_code == 200, page.text
    tabs = TAB.findall(page.text.partition('<nav class="sections"')[2].partition("</nav>")[0])
    wanted = "/admin/people" if at.startswith(OF_PEOPLE) else "/".join(at.split("/")[:3])
    assert tabs == [(wanted, "page" if wanted == at else "true")]
