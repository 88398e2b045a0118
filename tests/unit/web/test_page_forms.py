"""Forms of pages, sent as a browser without a script sends them: what they need, where they lead, what they keep."""

import re
from dataclasses import replace

import pytest

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import FRONT_END, POLICY, World, mandatory_verification, world_on
from tests.unit.web.people import ada, session_of
from vestibule.model.letters import LetterKind
from vestibule.model.limits import NetworkLimits, RateClass
from vestibule.web.map_reading import PAGES

pytestmark = pytest.mark.any_engine
NEW = {"password": "battery staple", "passwordConfirm": "battery staple"}
FORMS = [page.path for page in PAGES if page.method == "POST" and page.path.startswith(("/profile", "/logout"))]


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_of_a_browser_session_needs_its_token(world: World, path: str) -> None:
    """B1, B2: a form for members needs the token of its session."""
    client = await ada(world)
    other = await world.sign_in()
    stolen = csrf_in(await other.get("/profile"))
    before = await session_of(client)
    path = path.replace("{session_id}", before)
    fields = {"currentPassword": "correct horse", **NEW, "email": "eve@example.com"}
    for csrf in ({}, {"csrf": ""}, {"csrf": "0" * 96}, {"csrf": stolen}):
        answer = await client.post(path, data={**fields, **csrf})
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert await session_of(client) == before
    assert (await other.get("/api/users/me")).status_code == 200
    await world.sign_in()


@pytest.mark.parametrize(
    ("path", "site"),
    [
        *((page.path, "cross-site") for page in PAGES if page.method == "POST"),
        *((path, "same-site") for path in FORMS),
    ],
)
async def test_a_form_on_another_site_is_refused(world: World, path: str, site: str) -> None:
    """B1: a form on another site is refused."""
    client = await ada(world)
    client.headers["Sec-Fetch-Site"] = site
    answer = await client.post(path.replace("{", "").replace("}", ""), data={"language": "de"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_signing_in_sets_the_contracts_cookies_and_leads_where_it_may(world: World) -> None:
    await world.register()
    client = await world.client(None)
    fields = {"email": "ada@example.com", "password": "correct horse"}
    targets = {"": "/profile", "/profile/security": "/profile/security", f"{FRONT_END}/app": f"{FRONT_END}/app"}
    for wanted, target in {**targets, "//evil.example": "/profile"}.items():
        answer = await client.post("/login", data={**fields, "return_to": wanted})
        assert (answer.status_code, answer.headers["location"]) == (303, target)
        names = {cookie.partition("=")[0] for cookie in answer.headers.get_list("set-cookie")}
        assert names >= {"access_token", "refresh_token", "logged_in"}
        client.cookies.clear()


async def test_the_sign_in_form_may_lead_to_a_listed_origin_and_no_other(world: World) -> None:
    client = await world.client(None)
    listed = await client.get("/login", params={"return_to": f"{FRONT_END}/app"})
    assert f"form-action 'self' {FRONT_END};" in listed.headers["content-security-policy"]
    other = await client.get("/login", params={"return_to": "https://evil.example"})
    assert "evil" not in other.headers["content-security-policy"]
    # The switch of languages leads back to this very page, and so names what was asked of it; the form does not.
    assert re.findall(r'name="return_to" value="([^"]*)"', other.text) == [
        "/login?return_to=https%3A%2F%2Fevil.example"
    ]


async def test_a_wrong_password_keeps_the_email_and_never_the_password(world: World) -> None:
    client = await world.client(None)
    for password in ("wrong horse", "short"):
        answer = await client.post("/login", data={"email": "ada@example.com", "password": password})
        assert answer.status_code == 400
        assert "The email address or the password is wrong." in answer.text
        assert 'value="ada@example.com"' in answer.text
        assert password not in answer.text


async def test_an_unverified_email_is_offered_another_link(backend: Backend) -> None:
    async with world_on(backend, mandatory_verification()) as world:
        await world.register()
        client = await world.client(None)
        fields = {"email": "ada@example.com", "password": "correct horse"}
        answer = await client.post("/login", data=fields)
        assert answer.status_code == 401
        assert "Confirm your email address first" in answer.text
        first = world.secret(LetterKind.VERIFY_EMAIL)
        sent = await client.post("/verifyemail", data={"email": "ada@example.com"})
        assert sent.headers["location"] == "/checkemail?about=verify"
        await world.deliver()
        assert world.secret(LetterKind.VERIFY_EMAIL) != first


async def test_deleting_asks_for_the_password_and_ends_everything(world: World) -> None:
    client = await ada(world)
    csrf = csrf_in(await client.get("/profile/delete"))
    wrong = await client.post("/profile/delete", data={"csrf": csrf, "currentPassword": "wrong horse"})
    assert wrong.status_code == 403
    assert "This is not your current password." in wrong.text
    done = await client.post("/profile/delete", data={"csrf": csrf, "currentPassword": "correct horse"})
    assert done.headers["location"] == "/signedout?reason=deleted"
    assert not client.cookies.get("access_token")
    answer = await (await world.client(None)).post(
        "/login", data={"email": "ada@example.com", "password": "correct horse"}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("which", ["/{other}", ""])
async def test_s10_a_sign_in_too_long_ago_is_asked_for_again_and_then_leads_back(world: World, which: str) -> None:
    client = await ada(world)
    other = await world.sign_in()
    path = "/profile/security/sessions" + which.format(other=await session_of(other))
    for _ in range(2):
        world.clock.advance(minutes=10)
        await client.post("/api/auth/refresh")
        await other.post("/api/auth/refresh")
    answer = await client.post(path, data={"csrf": csrf_in(await client.get("/profile"))})
    assert answer.headers["location"] == "/reauthenticate?return_to=%2Fprofile%2Fsecurity"
    assert (await other.get("/api/users/me")).status_code == 200
    page = await client.get(answer.headers["location"])
    fields = {"csrf": csrf_in(page), "by": "password", "return_to": "/profile/security"}
    assert '<input type="hidden" name="return_to" value="/profile/security">' in page.text
    again = await client.post("/reauthenticate", data={**fields, "password": "correct horse"})
    assert (again.status_code, again.headers["location"]) == (303, "/profile/security?notice=reauthenticated")
    await client.post(path, data={"csrf": csrf_in(await client.get("/profile"))})
    assert (await other.get("/api/users/me")).status_code == 401


@pytest.mark.parametrize(
    ("path", "fields", "counted"),
    [
        (
            "/login",
            {"email": "ada@example.com", "password": "correct horse", "return_to": "/profile/security"},
            RateClass.SIGN_IN,
        ),
        ("/register", {"name": "Ada", "email": "ada@example.com", **NEW}, RateClass.REGISTER),
        ("/forgotpassword", {"email": "ada@example.com"}, RateClass.MAIL),
        ("/verifyemail", {"email": "ada@example.com"}, RateClass.MAIL),
        (f"/resetpassword/{'0' * 64}", NEW, RateClass.MAIL),
    ],
)
async def test_a_form_that_is_sent_too_often_comes_back_as_it_was_typed(
    backend: Backend, path: str, fields: dict[str, str], counted: RateClass
) -> None:
    policy = replace(POLICY, networks=NetworkLimits({**POLICY.networks.per_minute, counted: 1}))
    async with world_on(backend, policy) as world:
        client = await world.client(None)
        await client.post(path, data=fields)
        answer = await client.post(path, data=fields)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert re.search(r'role="alert">Too many attempts\. [^<]*You can try again in \d+ seconds?\.', answer.text)
        for name, value in fields.items():
            assert (f'value="{value}"' in answer.text) == ("assword" not in name)


async def test_too_many_wrong_passwords_keep_the_form_for_the_signed_in_too(world: World) -> None:
    client = await ada(world)
    fields = {"csrf": csrf_in(await client.get("/profile")), "email": "new@example.com", "currentPassword": "wrong"}
    answer = await client.post("/profile/security/email", data=fields)
    while answer.status_code == 403:
        answer = await client.post("/profile/security/email", data=fields)
    assert answer.status_code == 429
    assert 'value="new@example.com"' in answer.text
    assert "You can try again" in answer.text
    world.clock.advance(seconds=int(answer.headers["retry-after"]))
    right = {**fields, "csrf": csrf_in(answer), "currentPassword": "correct horse"}
    assert (await client.post("/profile/security/email", data=right)).status_code == 303


async def test_what_cannot_be_read_is_told_and_shows_no_form(backend: Backend) -> None:
    policy = replace(POLICY, networks=NetworkLimits({**POLICY.networks.per_minute, RateClass.SIGN_IN: 1}))
    async with world_on(backend, policy) as world:
        client = await world.client(None)
        for _ in range(2):
            answer = await client.post("/login", data={"email": ["a@example.com", "b@example.com"]})
        assert answer.status_code == 429
        assert "Too many attempts" in answer.text
        assert "example.com" not in answer.text


async def test_a_new_password_is_asked_for_once_and_a_second_field_must_match(world: World) -> None:
    client = await world.client(None)
    fields = {"name": "Ada Lovelace", "email": "ada@example.com", "password": "battery staple"}
    form = (await client.get("/register")).text
    assert re.findall(r'type="password"', form) == ['type="password"']
    # A team's own template may still ask twice.
    for again in ("battery stable", ""):
        assert (await client.post("/register", data={**fields, "passwordConfirm": again})).status_code == 400
    assert (await client.post("/register", data=fields)).status_code == 303
    assert (await client.post("/login", data=fields)).headers["location"] == "/profile"
