"""O83, O84, O85: emails, signing keys and services on the console and by its API."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.world import POLICY, World, world_on
from tests.stories.keys.test_rotation import key_manager
from tests.stories.operators.people import Browser, operator_in
from tests.stories.operators.test_by_command_line import Refusing
from vestibule.crypto.entropy import new_id
from vestibule.flows.follow_keys import ensure_next_keys
from vestibule.flows.look_after_mail import LETTERS_AT_ONCE, read_outbox
from vestibule.flows.open_key_ring import stored_keys
from vestibule.flows.service_keys import create_service_key, identify_service, list_service_keys
from vestibule.flows.watch_events import find_events
from vestibule.model.accounts import Role
from vestibule.model.errors import ServiceKeyInvalid
from vestibule.model.events import Event, EventFilter, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.signing_keys import KeyState, KeyUse

LETTERS, KEYS, SERVICES = "/admin/letters", "/admin/keys", "/admin/services"
WORDS = "550 5.1.1 mailbox\x1b[2J full"


async def refused_letter(world: World, email: str = "ada@example.com") -> str:
    """Somebody's letter is refused for good; its id."""
    working = world.env
    world.env = replace(working, mailer=Refusing())
    await world.register(email)
    world.env = working
    (state,) = [state for state in (await read_outbox(world.env, 99)).letters if state.refused_at]
    return state.letter.id


async def last_event(world: World, kind: EventKind) -> Event:
    return (await find_events(world.env, EventFilter(kinds=(kind,)), 1))[0][1]


async def post(operator: Browser, path: str, **form: str) -> httpx.Response:
    return await operator.client.post(path, data={**operator.form, **form})


async def test_o83_a_refused_email_is_listed_with_the_servers_words_and_tried_again(world: World) -> None:
    """O83: one or all; never what it says, nor its link."""
    letter_id = await refused_letter(world)
    helper = await operator_in(world, Role.HELPER)
    page = (await helper.client.get(LETTERS)).text
    assert "Refused by the mail server: 1." in page
    assert "550 5.1.1 mailbox" in page
    assert "/verifyemail/" not in page
    listed = (await helper.client.get("/api/admin/letters", params={"refused": "true"})).json()["data"]
    (letter,) = listed["letters"]
    assert (letter["id"], letter["email"], letter["kind"]) == (letter_id, "ada@example.com", "verify_email")
    assert letter.keys() == {"id", "kind", "email", "queued_at", "attempts", "due_at", "refused_at", "fault"}
    assert listed["refused"] == 1
    answer = await post(helper, f"{LETTERS}/retry", letter=letter_id)
    assert answer.headers["location"] == f"{LETTERS}?done=retried"
    told = await last_event(world, EventKind.LETTERS_RETRIED)
    assert (told.actor_id, told.detail["letters"]) == (helper.account.id, "1")
    assert "Refused by the mail server" not in (await helper.client.get(LETTERS)).text
    assert (await post(helper, f"{LETTERS}/retry", letter=new_id())).headers["location"].endswith("done=nothing")


async def test_o83_a_program_tries_them_again(world: World) -> None:
    letter_id = await refused_letter(world)
    helper = await operator_in(world, Role.HELPER)
    unknown = new_id()
    for path in (f"{unknown}/retry", f"{letter_id}/retry", "retry"):
        answer = await helper.client.post(f"/api/admin/letters/{path}", headers={"Origin": "http://localhost:8000"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["retried"] == (0 if path.startswith(unknown) else 1), path


async def test_o83_pages_of_the_outbox_have_each_email_once(world: World) -> None:
    auditor, now = await operator_in(world, Role.AUDITOR), world.clock.now()
    count = LETTERS_AT_ONCE + 7
    async with world.env.store.transaction() as tx:
        for number in range(count):
            letter = QueuedLetter(new_id(), LetterKind.EMAIL_TAKEN, now, email=f"n{number:03}@example.com")
            await tx.letters.queue(letter)
    found, at, page = list[str](), LETTERS, ""
    for _ in range(3):
        page = (await auditor.client.get(at)).text
        found += re.findall(r"search=(n\d{3})%40", page)
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        if onward is None:
            break
        at = unescape(onward[1])
    assert sorted(found) == [f"n{number:03}" for number in range(count)]
    assert "Try" not in page, "an auditor changes nothing"
    for cursor in ("x", "1.!", "1.1.1", "1" * 19 + ".a"):
        assert (await auditor.client.get(f"{LETTERS}?after={cursor}")).status_code == 400


@pytest.fixture
async def with_keys(backend: Backend) -> AsyncIterator[World]:
    async with world_on(backend, POLICY, key_manager=key_manager(), clock=ManualClock()) as world:
        await ensure_next_keys(world.env)
        yield world


async def test_o84_keys_rotate_once_services_have_the_next_ones(with_keys: World) -> None:
    """O84: and not before; with the operator in the event."""
    world = with_keys
    admin = await operator_in(world, Role.ADMIN)
    before = await stored_keys(world.env.store)
    page = (await admin.client.get(KEYS)).text
    assert all(key.kid in page for key in before)
    assert (await post(admin, f"{KEYS}/rotate")).status_code in (303, 409)
    assert await stored_keys(world.env.store) == before
    headers = {"Origin": "http://localhost:8000"}
    early = await admin.client.post("/api/admin/keys/rotate", headers=headers)
    assert (early.status_code, early.json()["code"]) == (409, "keys_not_rotated")
    world.clock.advance(seconds=POLICY.key_lead.total_seconds() + 1)
    admin = await operator_in(world, Role.ADMIN)
    done = await post(admin, f"{KEYS}/rotate")
    assert done.headers["location"] == f"{KEYS}?done=rotated", done.text
    after = await stored_keys(world.env.store)
    current = {key.use: key.kid for key in after if key.state is KeyState.CURRENT}
    assert current == {key.use: key.kid for key in before if key.state is KeyState.NEXT}
    told = await last_event(world, EventKind.SIGNING_KEY_ROTATED)
    assert (told.actor_id, told.detail["kid"]) == (admin.account.id, current[KeyUse(told.detail["use"])])
    listed = (await admin.client.get("/api/admin/keys")).json()["data"]["keys"]
    assert {key["kid"] for key in listed} == {key.kid for key in after}
    assert "PRIVATE" not in str(listed)


async def test_o84_keys_of_settings_are_said_to_be_so(world: World) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    page = (await auditor.client.get(KEYS)).text
    assert "given by settings" in page
    assert "/rotate" not in page


def key_on(page: str) -> str:
    (key,) = re.findall(r'<code id="key">([^<]+)</code>', page)
    return unescape(key)


async def test_o85_a_new_key_is_shown_once_to_who_made_it(world: World) -> None:
    """O85: not by the answer to the form, not to another browser, and not a second time."""
    admin, other = await operator_in(world, Role.ADMIN), await operator_in(world, Role.ADMIN)
    created = await post(admin, f"{SERVICES}/new", name="billing")
    assert (created.status_code, created.headers["location"]) == (303, f"{SERVICES}/created")
    sealed = created.headers["set-cookie"].partition(";")[0]
    theirs = await other.client.get(
        f"{SERVICES}/created", headers={"Cookie": f"{other.client.headers['Cookie']}; {sealed}"}
    )
    assert (theirs.status_code, theirs.headers["location"]) == (303, SERVICES)
    mine = {"Cookie": f"{admin.client.headers['Cookie']}; {sealed}"}
    page = await admin.client.get(f"{SERVICES}/created", headers=mine)
    key = key_on(page.text)
    assert (await identify_service(world.env, key)).name == "billing"
    assert key not in created.text + sealed
    assert any(cookie.startswith("service_key=;") for cookie in page.headers.get_list("set-cookie"))
    world.clock.advance(seconds=61)
    late = await admin.client.get(f"{SERVICES}/created", headers=mine)
    assert late.headers["location"] == SERVICES, "a program that keeps the cookie sees it for a minute"
    told = await last_event(world, EventKind.SERVICE_CREATED)
    assert (told.actor_id, told.detail["service"], key in str(told)) == (admin.account.id, "billing", False)


@pytest.mark.parametrize(("name", "says"), [("No Name", "characters at the most"), ("billing", "has a key already")])
async def test_o85_what_cannot_name_a_service_is_said_at_the_field(world: World, name: str, says: str) -> None:
    admin = await operator_in(world, Role.ADMIN)
    await create_service_key(world.env, "billing")
    assert f'href="{SERVICES}/new"' in (await admin.client.get(SERVICES)).text
    form = (await admin.client.get(f"{SERVICES}/new")).text
    assert ('id="name"' in form, says in form) == (True, False)
    answer = await post(admin, f"{SERVICES}/new", name=name)
    if answer.status_code == 303:  # a browser is led back to the form
        sealed = answer.headers["set-cookie"].partition(";")[0]
        cookies = {"Cookie": f"{admin.client.headers['Cookie']}; {sealed}"}
        answer = await admin.client.get(answer.headers["location"], headers=cookies)
    assert says in answer.text
    assert f'value="{name}"' in answer.text
    assert [key.name for key in await list_service_keys(world.env)] == ["billing"]


async def test_o85_a_key_is_revoked_after_a_question(world: World) -> None:
    admin, auditor = await operator_in(world, Role.ADMIN), await operator_in(world, Role.AUDITOR)
    key = await create_service_key(world.env, "billing") or ""
    assert f"{SERVICES}/billing/revoke" in (await admin.client.get(SERVICES)).text
    listed = (await auditor.client.get(SERVICES)).text
    assert ("billing" in listed, "/revoke" in listed, key in listed) == (True, False, False)
    assert "Revoke the key" in (await admin.client.get(f"{SERVICES}/billing/revoke")).text
    assert (await post(admin, f"{SERVICES}/billing/revoke")).headers["location"] == f"{SERVICES}?done=revoked"
    with pytest.raises(ServiceKeyInvalid):
        await identify_service(world.env, key)
    assert (await last_event(world, EventKind.SERVICE_REVOKED)).actor_id == admin.account.id
    for path in ("billing", "No Name"):
        assert (await admin.client.get(f"{SERVICES}/{path}/revoke")).status_code == 404


async def test_o85_a_program_creates_and_revokes(world: World) -> None:
    admin, headers = await operator_in(world, Role.ADMIN), {"Origin": "http://localhost:8000"}

    async def ask(method: str, name: str) -> tuple[int, str]:
        answer = await admin.client.request(method, f"/api/admin/services/{name}", headers=headers)
        return answer.status_code, answer.json().get("code", "")

    assert await ask("POST", "No") == (400, "service_name_invalid")
    assert await ask("POST", "billing") == (201, "")
    assert await ask("POST", "billing") == (409, "service_name_taken")
    assert [key.name for key in await list_service_keys(world.env)] == ["billing"]
    listed = (await admin.client.get("/api/admin/services")).json()["data"]["services"]
    assert [service["name"] for service in listed] == ["billing"]
    assert await ask("DELETE", "billing") == (200, "")
    assert await ask("DELETE", "billing") == (404, "service_unknown")


async def test_trying_again_is_offered_once_an_email_has_failed(world: World) -> None:
    helper, button = await operator_in(world, Role.HELPER), "Try all failed ones again"
    await queue_letter(world)
    page = (await helper.client.get(LETTERS)).text
    assert "Waiting: 1." in page
    assert button not in page
    await refused_letter(world, "eve@example.com")
    assert button in (await helper.client.get(LETTERS)).text


async def queue_letter(world: World) -> None:
    """A letter that nobody has tried to send yet."""
    letter = QueuedLetter(new_id(), LetterKind.RESET_PASSWORD, world.clock.now(), email="ada@example.com")
    async with world.env.store.transaction() as tx:
        await tx.letters.queue(letter)
