"""O90: nobody acts on a person whose role permits more than their own: a helper could keep every admin out."""

import httpx
import pytest

from tests.harness.world import World
from tests.stories.operators.people import Browser, operator_in
from tests.stories.operators.test_search_page import shown
from vestibule.flows.create_account import create_account
from vestibule.model.accounts import Account, Role
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.permissions import OF_ROLE
from vestibule.web.console.act import Act
from vestibule.web.console.acts import END_SESSION, EVERY_ACT

pytestmark = pytest.mark.any_engine
REFUSED = "person_may_do_more"
ACTS = [act for act in EVERY_ACT if act.permission in OF_ROLE[Role.HELPER]]
PAIRS = [(act, target) for act in ACTS for target in Role]


async def person(world: World, role: Role) -> tuple[Account, str]:
    """Somebody with this role who is signed in, and the session."""
    account, password = await create_account(world.env, COMMAND_LINE, "Tara", "tara@example.com", role)
    await world.sign_in(account.email, password)
    async with world.env.store.reading() as read:
        (session,) = await read.sessions.of_account(account.id, 2, world.clock.now())
    return account, session.id


async def by_api(helper: Browser, method: str, path: str) -> str:
    answer = await helper.client.request(method, f"/api{path}", json=None if method == "DELETE" else {})
    return str(answer.json().get("code", "")) if answer.is_error else ""


async def by_page(helper: Browser, path: str) -> str:
    answer: httpx.Response = await helper.client.post(path, data=helper.form)
    refused = "The role of this person allows more than yours. Ask an administrator." in shown(answer.text)
    return REFUSED if refused and answer.status_code == 403 else ""


def test_o90_a_helper_has_acts_to_refuse() -> None:
    assert {act.slug for act in ACTS} >= {"sign-out", "send-reset", "send-verification", END_SESSION.slug}


@pytest.mark.parametrize(("act", "target"), PAIRS, ids=[f"{act.slug} {target.value}" for act, target in PAIRS])
async def test_o90_a_helper_acts_on_nobody_who_may_do_more(world: World, act: Act, target: Role) -> None:
    """O90: by API and page, and nothing is changed, mailed or recorded then."""
    account, session_id = await person(world, target)
    helper = await operator_in(world, Role.HELPER)
    path = f"/admin/people/{account.id}/{act.slug.format(session_id=session_id)}"
    above = target in {Role.ADMIN, Role.AUDITOR}
    before = await state(world, account)
    said = await by_page(helper, path), await by_api(helper, "DELETE" if act is END_SESSION else "POST", path)
    assert (said == (REFUSED, REFUSED)) == above, said
    if above:
        assert await state(world, account) == before
        page = await helper.client.get(f"/admin/people/{account.id}")
        assert f"/admin/people/{account.id}/" not in page.text, "no button that would be refused"


async def state(world: World, account: Account) -> tuple[int, int, int]:
    """How many live sessions, letters and events there are of an account."""
    async with world.env.store.reading() as read:
        sessions = await read.sessions.count_live(account.id, world.clock.now())
        letters = await read.letters.latest_of(account.id, 100)
        events = await read.events.of_account(account.id, 100)
    return sessions, len(letters), len(events)


async def test_o90_an_admin_acts_on_every_role(world: World) -> None:
    account, _ = await person(world, Role.ADMIN)
    admin = await operator_in(world, Role.ADMIN)
    assert await by_api(admin, "POST", f"/admin/people/{account.id}/sign-out") == ""
