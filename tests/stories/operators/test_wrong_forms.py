"""A form of the console that is filled in wrong comes back with what is wrong, in a browser as anywhere."""

import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.storage import stored_account
from tests.unit.web.test_refused_forms import at_console, landed
from vestibule.web.console.acts import ACTS
from vestibule.web.console.new_people import WAYS

pytestmark = pytest.mark.any_engine
NOTHING_TO_MISS = {"set-roles"}
"""Forms of boxes: none of them checked is an answer."""
FORMS = [
    *(f"/admin/people/{{account_id}}/{act.slug}" for act in ACTS if act.asks and act.slug not in NOTHING_TO_MISS),
    *(f"/admin/{way.slug}" for way in WAYS),
]


@pytest.mark.parametrize("form", FORMS)
async def test_what_is_missing_is_said_at_the_field(world: World, form: str) -> None:
    somebody = await stored_account(world.env.store, email="grace@example.com")
    operator, path = await at_console(world), form.format(account_id=somebody.id)
    page = await landed(operator, await operator.post(path, data={"csrf": csrf_in(await operator.get(path))}))
    assert (page.status_code, page.url.path) == (200, path)
    assert 'role="alert"' in page.text
    assert ">Please check: " in page.text
