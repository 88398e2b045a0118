"""A browser whose form is refused is redirected to the page of the form, which shows the refusal once: Back and Reload
never ask to send the form again.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import POLICY, World, mandatory_verification, world_on
from tests.stories.operators.people import operator_in
from tests.stories.passkeys import add
from tests.stories.required_factor import switch
from tests.unit.web.authenticator_app import turn_on
from tests.unit.web.people import ada
from tests.unit.web.refused_rows import ADA, ASK_CODE, EASY, GOOD, ROWS, TYPE_CODE, WRONG, Row
from tests.unit.web.test_admission import ALL_FIELDS, taken
from tests.unit.web.test_enrol_page import ENROL
from tests.unit.web.test_second_step_page import STEP
from vestibule.crypto.common_passwords import common_passwords
from vestibule.flows.ask_for_letter import request_reset
from vestibule.flows.custom_roles import create_custom_role
from vestibule.flows.find_people import find_account
from vestibule.flows.invite import invite
from vestibule.flows.service_keys import create_service_key
from vestibule.model.accounts import Role
from vestibule.model.client_info import ClientInfo
from vestibule.model.factors import SecondFactorRule
from vestibule.model.letters import LetterKind
from vestibule.model.limits import NetworkLimits, RateClass
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.passwords import PasswordRules
from vestibule.model.sessions import Device
from vestibule.web.map_lines import Page
from vestibule.web.map_reading import PAGES, methods_at
from vestibule.web.pages.browser_session import session_form
from vestibule.web.signing_out import signing_out_form

pytestmark = pytest.mark.any_engine

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}
FORMS = [page for page in PAGES if page.method == "POST"]
OF_PAGES = {RateClass.REFRESH, RateClass.ACCOUNT}  # the page of the form is refused too
PATHS = [page.path for page in FORMS]
OF_ACCOUNT = [page.path for page in FORMS if {session_form, signing_out_form} & {*page.guards}]


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    """A Vestibule that knows common passwords."""
    rules = PasswordRules(commonest=common_passwords(8))
    async with world_on(backend, replace(POLICY, passwords=rules)) as made:
        yield made


async def at_browser(world: World, path: str) -> httpx.AsyncClient:
    """Ada at a form: signed in if it is one of her account's. At a form of the console, an operator."""
    client = await ada(world)
    if path.startswith("/admin"):
        return await at_console(world)
    if path.startswith(STEP):
        await turn_on(world, client)
    if "{passkey_id}" in path:
        await add(client, Authenticator())
    client.headers.update(BROWSER)
    if path not in OF_ACCOUNT:
        client.cookies.clear()
    if path.startswith(STEP):
        answer = await client.post("/login", data={**ADA, "password": "correct horse"})
        assert answer.headers["location"] == STEP
    if path == TYPE_CODE:
        await client.post(ASK_CODE, data=ADA)
    if path.startswith(ENROL):
        switch(world, SecondFactorRule.REQUIRED)
        answer = await client.post("/login", data={**ADA, "password": "correct horse"})
        assert answer.headers["location"] == ENROL
    return client


async def at_console(world: World) -> httpx.AsyncClient:
    """An operator, whose cookies a browser keeps."""
    client = (await operator_in(world, Role.ADMIN)).client
    name, _, token = client.headers.pop("Cookie").partition("=")
    client.cookies.set(name, token)
    client.headers.update(BROWSER)
    return client


async def landed(client: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """The page that a refused form leads to."""
    assert answer.status_code == 303, answer.text
    assert "retry-after" not in answer.headers
    while answer.status_code == 303:
        location = answer.headers["location"]
        assert "GET" in methods_at(urlsplit(location).path, POLICY)
        answer = await client.get(location)
    return answer


def test_every_form_with_fields_to_get_wrong_is_in_the_table() -> None:
    shows_itself = {page.path for page in PAGES if page.show_form}
    assert {row.path for row in ROWS} == shows_itself


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_what_is_wrong_is_shown_once_with_what_was_typed(world: World, row: Row) -> None:
    client = await at_browser(world, row.path)
    fields, path = dict(row.typed), await with_secret(world, row.path)
    if row.path in OF_ACCOUNT:
        fields["csrf"] = csrf_in(await client.get(path))
    answer = await client.post(path, data=fields)
    assert urlsplit(answer.headers["location"])[2:4] == (path, "")
    for typed in filter(None, row.typed.values()):
        assert typed not in str(answer.headers)
    page = await landed(client, answer)
    assert (page.status_code, page.url.path) == (200, path)
    assert row.said in page.text
    assert "<title data-mended=" in page.text
    assert ">Please check: " in page.text
    for name in row.at_fault:
        assert f'id="{name}-fault" role="alert"' in page.text
    assert page.text.count('aria-invalid="true"') == len(row.at_fault)
    assert f'aria-describedby="{row.at_fault[0]}-fault' in page.text.partition(" autofocus")[0].rpartition("<input")[2]
    for name, value in row.kept.items():
        assert f'name="{name}" type="{"email" if name == "email" else "text"}"' in page.text
        assert f'value="{value}"' in page.text
    for password in (WRONG, EASY, GOOD):
        assert password not in page.text
    again = await client.get(path)
    assert again.status_code == 200
    assert "alert" not in again.text
    assert "refused_form" not in client.cookies


@pytest.mark.parametrize("path", PATHS)
async def test_no_form_is_answered_with_a_page_that_reload_would_send_again(world: World, path: str) -> None:
    """The refusal of a form that cannot be read, or of a link that is none: each form can have one of them."""
    client = await at_browser(world, path)
    csrf = csrf_in(await client.get("/profile")) if path in OF_ACCOUNT else ""
    page = await landed(client, await client.post(await existing(world, path), data={"csrf": [csrf, csrf]}))
    assert 'role="alert"' in page.text
    assert "The form could not be read." in page.text or "This link no longer works" in page.text
    assert "The form could not be read." not in (await client.get(page.url.path)).text


@pytest.mark.parametrize("path", [path for path in OF_ACCOUNT if path != "/confirmemail/{token}"])
async def test_a_form_that_was_open_for_too_long_leads_to_a_new_one(world: World, path: str) -> None:
    client = await at_browser(world, path)
    page = await landed(client, await client.post(await existing(world, path), data={"csrf": "0" * 96}))
    assert (page.status_code, "was open for too long" in page.text) == (200, True)
    assert "was open for too long" not in (await client.get(page.url.path)).text


@pytest.mark.parametrize(
    "form", [page for page in FORMS if page.limit in {*RateClass} - OF_PAGES], ids=lambda f: f.path
)
async def test_one_that_is_sent_too_often_says_when_to_try_again(backend: Backend, form: Page) -> None:
    assert form.limit
    waits = form.path.startswith((STEP, ENROL)) and form.limit is RateClass.SIGN_IN
    # Somebody has signed in, and perhaps set an app up; before an operator, Ada did.
    twice = form.path.startswith("/admin") and form.limit is RateClass.SIGN_IN
    before = 3 if twice or (form.path.startswith(STEP) and waits) else 2 if waits else 1
    per_minute = {**POLICY.networks.per_minute, form.limit: before}
    async with world_on(backend, replace(POLICY, networks=NetworkLimits(per_minute))) as world:
        client = await at_browser(world, form.path)
        path = await with_secret(world, form.path)
        for turn, at in enumerate((plain(form.path), path)):  # the same form twice would get the same answer
            answer = await client.post(at, data={"csrf": "0" * 96, "turn": str(turn)})
        page = await landed(client, answer)
        assert "Too many attempts" in page.text or "This link no longer works" in page.text
        assert "You can try again in" in page.text or path == plain(form.path)


@pytest.mark.parametrize("path", [page.path for page in FORMS if page.hashes])
async def test_a_crowd_is_told_on_the_page_of_the_form(world: World, path: str) -> None:
    client = await at_browser(world, path)
    path = await with_secret(world, path)
    async with taken(world):
        answer = await client.post(path, data=ALL_FIELDS)
    page = await landed(client, answer)
    assert "We cannot do this right now" in page.text
    assert (await client.get(page.url.path)).text.count("alert") == 0


async def test_the_email_of_the_wrong_password_is_offered_a_link_as_before(backend: Backend) -> None:
    async with world_on(backend, mandatory_verification()) as world:
        await world.register()
        client = await world.client(None)
        client.headers.update(BROWSER)
        page = await landed(client, await client.post("/login", data={**ADA, "password": "correct horse"}))
        assert "Confirm your email address first" in page.text
        assert '<input type="hidden" name="email" value="ada@example.com">' in page.text


async def test_who_signs_in_again_with_a_wrong_password_is_told(world: World) -> None:
    """The page that asked shows it, and leads on after the right one."""
    client = await at_browser(world, "/logout")
    for _ in range(2):
        world.clock.advance(minutes=10)
        await client.post("/api/auth/refresh")
    csrf = csrf_in(await client.get("/profile/security"))
    page = await landed(client, await client.post("/profile/security/sessions", data={"csrf": csrf}))
    assert page.url.path == "/reauthenticate"
    assert 'value="ada@example.com" readonly hidden' in page.text
    assert 'name="return_to" value="/profile/security"' in page.text
    fields = {"csrf": csrf_in(page), "by": "password", "return_to": "/profile/security"}
    answer = await client.post("/reauthenticate", data={**fields, "password": WRONG})
    assert answer.headers["location"] == "/reauthenticate?return_to=%2Fprofile%2Fsecurity"
    page = await landed(client, answer)
    assert "This is not your current password." in page.text
    assert 'name="return_to" value="/profile/security"' in page.text
    answer = await client.post("/reauthenticate", data={**fields, "password": "correct horse"})
    assert answer.headers["location"] == "/profile/security?notice=reauthenticated"
    assert "You can go on now." in (await landed(client, answer)).text


async def with_secret(world: World, path: str) -> str:
    """The path with the secret of a link that was mailed; with one that is none, where a link needs more; or with the
    passkey that Ada has.
    """
    if path == "/resetpassword/{token}":
        await request_reset(world.env, ADA["email"], ClientInfo(Device("", "192.0.2.8")))
        await world.deliver()
        return path.format(token=world.secret(LetterKind.RESET_PASSWORD))
    if path == "/invitation/{token}":
        await invite(world.env, COMMAND_LINE, "Grace", "grace@example.com")
        await world.deliver()
        return path.format(token=world.secret(LetterKind.INVITATION))
    if "{code}" in path:
        return path.format(code=world.secret(LetterKind.VERIFY_EMAIL))
    return await existing(world, path)


async def existing(world: World, path: str) -> str:
    """The path of Ada's account, with one of her sessions, or of the passkey that she has, of a service or of a role;
    a made-up one, where another page says so.
    """
    if path == "/admin/services/{name}/revoke":
        await create_service_key(world.env, "billing")
        return path.format(name="billing")
    if path.startswith("/admin/roles/{name}/"):
        await create_custom_role(world.env, COMMAND_LINE, "billing", [])
        return path.format(name="billing")
    if not {"{passkey_id}", "{account_id}"} & set(path.split("/")):
        return plain(path)
    account = await find_account(world.env, ADA["email"])
    assert account
    async with world.env.store.reading() as read:
        if "{account_id}" in path:
            sessions = await read.sessions.of_account(account.id, 1, world.clock.now())
            return path.format(account_id=account.id, session_id=sessions[0].id)
        (passkey,) = await read.passkeys.of_account(account.id)
    return path.format(passkey_id=passkey.id)


def plain(path: str) -> str:
    return path.replace("{", "").replace("}", "")
