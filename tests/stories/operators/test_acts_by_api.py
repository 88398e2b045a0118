"""O70 to O72: every act of the console by its API: the same flow, event and refusal, and a retry harms nothing."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.operators.people import Browser, operator_in
from tests.stories.operators.test_custom_roles import make
from tests.stories.operators.test_person_page import ADA, ada_of, add_passkey
from tests.stories.operators.test_search_page import add
from vestibule.crypto.entropy import new_id
from vestibule.flows.administer import disable_account
from vestibule.flows.see_person import see_person
from vestibule.model.accounts import Account, Role
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.limits import LetterLimits
from vestibule.model.operators import COMMAND_LINE
from vestibule.web.console.acts import ACTS, EVERY_ACT
from vestibule.web.map_reading import PAGES, ROUTES

pytestmark = pytest.mark.any_engine
AT = "/api/admin/people"
BODIES: dict[str, dict[str, Any]] = {
    "disable": {"reason": "spam"},
    "delete": {"email": ADA.upper()},
    "set-email": {"new_email": "countess@example.com"},
    "set-role": {"role": "helper"},
    "set-roles": {"roles": ["billing"]},
}
KINDS = {
    "disable": EventKind.ACCOUNT_DISABLED,
    "enable": EventKind.ACCOUNT_ENABLED,
    "keep-factors": EventKind.FACTOR_RESET_CANCELED,
    "reset-factors": EventKind.FACTOR_RESET_BEGUN,
    "reset-factors-now": EventKind.FACTORS_RESET,
    "send-reset": EventKind.LINK_MAILED,
    "send-verification": EventKind.LINK_MAILED,
    "set-role": EventKind.ROLE_CHANGED,
    "set-roles": EventKind.ROLES_CHANGED,
    "sign-out": EventKind.SESSIONS_ENDED,
    "verify": EventKind.EMAIL_VERIFIED,
}
"""Of acts that leave the account, and need nothing more than what `fit` prepares."""


async def fit(world: World, act: str) -> Account:
    """Somebody on whom this act changes something."""
    await world.register()
    ada = await ada_of(world)
    if act not in {"verify", "send-verification"}:
        client, code = await world.client(), world.secret(LetterKind.VERIFY_EMAIL)
        assert (await client.get(f"/api/auth/verifyemail/{code}")).status_code == 200
    if "factors" in act:
        await add_passkey(world, ada)
    if act == "set-roles":
        await make(world, "billing")
    if act == "enable":
        await disable_account(world.env, COMMAND_LINE, ada)
    if act == "sign-out":
        await world.sign_in()
    return ada


async def ask(browser: Browser, account: Account, act: str) -> httpx.Response:
    return await browser.client.post(f"{AT}/{account.id}/{act}", json=BODIES.get(act, {}))


def test_o70_console_and_api_have_the_same_acts() -> None:
    """O70: from one table, each with one permission."""
    paths = {line.path.removeprefix("/api"): line.permission for line in ROUTES if line.method in {"POST", "DELETE"}}
    pages = {line.path: line.permission for line in PAGES if line.method == "POST"}
    for act in EVERY_ACT:
        path = f"/admin/people/{{account_id}}/{act.slug}"
        assert paths[path] == pages[path] == act.permission
    made_otherwise = {"/admin/people": "/admin/create", "/admin/invitations": "/admin/invite"}
    of_people = ("/admin/people", *made_otherwise, *made_otherwise.values())
    of_api = {made_otherwise.get(path, path) for path in paths if path.startswith(of_people)}
    assert of_api == {path for path in pages if path.startswith(of_people)}


@pytest.mark.parametrize("act", KINDS)
async def test_o70_an_act_leaves_the_event_of_its_operator(world: World, act: str) -> None:
    """O70: as at the console; a second request finds it done, and says so."""
    ada, admin = await fit(world, act), await operator_in(world, Role.ADMIN)
    if act == "keep-factors":
        assert (await ask(admin, ada, "reset-factors")).json()["data"] == {"changed": True}
    done = await ask(admin, ada, act)
    assert (done.status_code, done.json()) == (200, {"status": "success", "data": {"changed": True}})
    person = await see_person(world.env, ada.id)
    assert person is not None
    (event,) = [event for event in person.events if event.kind is KINDS[act] and event.actor_id]
    assert (event.actor_id, event.network_address, event.detail["by"]) == (admin.account.id, "192.0.2.7", "operator")
    if act not in {"send-reset", "send-verification"}:
        assert (await ask(admin, ada, act)).json()["data"] == {"changed": False}


async def test_o70_every_act_was_tried() -> None:
    assert {act.slug for act in ACTS} == {*KINDS, "delete", "invite", "set-email", "unlock"}


async def test_o70_one_session_ends_and_the_others_stay(world: World) -> None:
    await world.register()
    phone, laptop = await world.sign_in(), await world.sign_in()
    ada, helper = await ada_of(world), await operator_in(world, Role.HELPER)
    (newest, _) = (await helper.client.get(f"{AT}/{ada.id}")).json()["data"]["sessions"]
    at = f"{AT}/{ada.id}/sessions/{newest['id']}"
    assert (await helper.client.delete(at)).json()["data"] == {"changed": True}
    answers = sorted([(await each.get("/api/users/me")).status_code for each in (phone, laptop)])
    assert answers == [200, 401]
    assert (await helper.client.delete(at)).json()["data"] == {"changed": False}
    person = await see_person(world.env, ada.id)
    assert person is not None
    (event,) = [event for event in person.events if event.kind is EventKind.SESSION_ENDED]
    assert (event.actor_id, event.session_id) == (helper.account.id, newest["id"])


async def test_o70_no_session_of_another_account_ends(world: World) -> None:
    """O70: an id in the path of somebody else's page, and what is no id."""
    await world.register()
    admin, ada = await operator_in(world, Role.ADMIN), await ada_of(world)
    mine = (await admin.client.get(f"{AT}/{admin.account.id}")).json()["data"]["sessions"][0]["id"]
    for session_id in (mine, new_id(), "x", "%00"):
        answer = await admin.client.delete(f"{AT}/{ada.id}/sessions/{session_id}")
        assert (answer.status_code, answer.json()["data"]) == (200, {"changed": False}), session_id
    assert (await admin.client.get("/api/admin/me")).status_code == 200


@pytest.mark.parametrize("act", [act.slug for act in ACTS])
async def test_o71_nobody_is_person_unknown(world: World, act: str) -> None:
    admin = await operator_in(world, Role.ADMIN)
    for account_id in (new_id(), "x", "a" * 300):
        answer = await admin.client.post(f"{AT}/{account_id}/{act}", json=BODIES.get(act, {}))
        assert (answer.status_code, answer.json()["code"]) == (404, "person_unknown"), account_id


async def test_o71_what_is_typed_is_checked(world: World) -> None:
    """O71: in the contract's envelope, an entry for each fault."""
    ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
    wrong: list[tuple[str, Any]] = [
        ("disable", {}),
        ("disable", {"reason": "  "}),
        ("disable", {"reason": "x" * 501}),
        ("disable", {"reason": 7}),
        ("set-role", {}),
        ("set-role", {"role": "root"}),
        ("delete", {}),
    ]
    for act, body in wrong:
        answer = await admin.client.post(f"{AT}/{ada.id}/{act}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid"), (act, body)
        assert answer.json()["errors"][0]["path"] == [
            "body",
            {"disable": "reason", "set-role": "role"}.get(act, "email"),
        ]
    other = await admin.client.post(f"{AT}/{ada.id}/delete", json={"email": "bob@example.com"})
    assert (other.status_code, other.json()["code"]) == (400, "email_differs")
    assert (await ask(admin, ada, "delete")).json()["data"] == {"changed": True}
    assert (await ask(admin, ada, "delete")).status_code == 404


async def test_o71_what_cannot_be_done_says_why(world: World) -> None:
    ada, admin = await add(world, ADA, verified=False), await operator_in(world, Role.ADMIN)
    await add_passkey(world, ada)
    assert (await ask(admin, ada, "set-role")).json()["code"] == "role_needs_verified_email"
    assert (await ask(admin, ada, "reset-factors")).json()["code"] == "owner_unreachable"
    await disable_account(world.env, COMMAND_LINE, ada)
    disabled = await ask(admin, ada, "send-reset")
    assert (disabled.status_code, disabled.json()["code"]) == (409, "account_disabled")
    mine = await admin.client.post(f"{AT}/{admin.account.id}/disable", json={"reason": "left"})
    assert (mine.status_code, mine.json()["code"]) == (409, "last_admin")


async def test_o71_a_mailbox_gets_no_more_links_than_by_the_console(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY, letters=LetterLimits.per_hour(to_email=1, for_network=9))) as world:
        ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
        for _ in range(world.env.policy.letters.to_mailbox.times):
            assert (await ask(admin, ada, "send-reset")).status_code == 200
        refused = await ask(admin, ada, "send-reset")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_links")


@pytest.mark.parametrize("act", [act.slug for act in ACTS])
async def test_o72_an_access_token_alone_changes_nothing(world: World, act: str) -> None:
    """O72: one that was copied from a log or by a script; nor does another site's form."""
    ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
    at, body = f"{AT}/{ada.id}/{act}", BODIES.get(act, {})
    token = admin.client.headers.pop("Cookie").partition("access_token=")[2].partition(";")[0]
    alone = await admin.client.post(at, json=body, headers={"Authorization": f"Bearer {token}"})
    assert (alone.status_code, alone.json()["code"]) == (403, "refresh_token_required")


async def test_o72_another_site_changes_nothing(world: World) -> None:
    ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = await admin.client.post(f"{AT}/{ada.id}/delete", json={"email": ADA}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert await ada_of(world) == ada
