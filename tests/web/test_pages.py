"""Pages, asked as a browser without a script asks: guards, cookies, forms and what they never do."""

import re

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import FRONT_END, World, mandatory_verification, world_on
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.sessions import EndReason
from vestibule.web.errors import LOOKS
from vestibule.web.pages.words import NOTICES, WHAT_HAPPENED, WHY_NOT, WHY_OVER
from vestibule.web.routes import PAGES

# These are told to operators, in the log.
ABOUT_NO_ACCOUNT = {
    EventKind.SIGNING_KEY_ROTATED,
    EventKind.SIGNING_KEY_WITHDRAWN,
    EventKind.SERVICE_ADDED,
    EventKind.SERVICE_REMOVED,
    EventKind.REGISTRATION_REFUSED,
}
NEW = {"password": "battery staple", "passwordConfirm": "battery staple"}
FOR_MEMBERS = [page.path for page in PAGES if page.method == "GET" and page.path.startswith("/profile")]
FORMS = [page.path for page in PAGES if page.method == "POST" and page.path.startswith(("/profile", "/logout"))]


def token_in(page: httpx.Response) -> str:
    """What the forms of a page carry."""
    return re.findall(r'name="csrf" value="([0-9a-f]{96})"', page.text)[0]


async def ada(world: World) -> httpx.AsyncClient:
    """Somebody who is signed in, at a page of ours."""
    await world.register()
    client = await world.sign_in()
    del client.headers["Origin"]
    client.headers["Sec-Fetch-Site"] = "same-origin"
    return client


async def session_of(client: httpx.AsyncClient) -> str:
    return (await client.get("/api/auth/verify")).headers["vestibule-session"]


def test_whatever_can_happen_has_its_words() -> None:
    assert set(WHY_OVER) == set(EndReason)
    assert set(WHAT_HAPPENED) | ABOUT_NO_ACCOUNT == set(EventKind)
    # No request with a wrong method or host reaches a page.
    assert {look.status for look in LOOKS.values()} - {405, 421} <= set(WHY_NOT)


def test_every_notice_that_is_led_to_is_there() -> None:
    assert all(re.fullmatch("[a-z_]+", notice) for notice in NOTICES)


@pytest.mark.parametrize("path", FOR_MEMBERS)
async def test_a_page_for_members_leads_everybody_else_to_sign_in(world: World, path: str) -> None:
    answer = await (await world.client(None)).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        "/login" if path == "/profile" else f"/login?return_to={path.replace('/', '%2F')}"
    )


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_for_members_needs_the_token_of_its_session(world: World, path: str) -> None:
    """B1, B2: a form for members needs the token of its session."""
    client = await ada(world)
    other = await world.sign_in()
    stolen = token_in(await other.get("/profile"))
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


async def test_an_expired_access_token_is_renewed_by_the_page_itself(world: World) -> None:
    client = await ada(world)
    session, spent = await session_of(client), client.cookies["refresh_token"]
    world.clock.advance(minutes=16)
    page = await client.get("/profile")
    assert page.status_code == 200
    assert client.cookies["refresh_token"] != spent
    assert await session_of(client) == session
    world.clock.advance(minutes=16)
    answer = await client.post("/profile/verification", data={"csrf": token_in(page)})
    assert answer.headers["location"] == "/profile?notice=letter_sent"
    assert await session_of(client) == session


async def test_tabs_that_come_at_once_get_the_same_cookies_and_nobody_is_signed_out(world: World) -> None:
    client = await ada(world)
    world.clock.advance(minutes=16)
    headers = {"Cookie": f"refresh_token={client.cookies['refresh_token']}"}
    tabs = [await world.client(None) for _ in range(10)]
    answers = [await tab.get("/profile/security", headers=headers) for tab in tabs]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.cookies["refresh_token"] for answer in answers}) == 1
    late = await world.client(None)
    world.clock.advance(seconds=11)
    assert (await late.get("/profile", headers=headers)).status_code == 200


async def test_head_renews_nothing(world: World) -> None:
    client = await ada(world)
    world.clock.advance(minutes=16)
    answer = await client.head("/profile")
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers
    assert (await client.get("/profile")).status_code == 200


async def test_whose_session_has_ended_is_told_why_and_keeps_the_cookies(world: World) -> None:
    client = await ada(world)
    await (await world.sign_in()).delete("/api/users/me/sessions")
    answer = await client.get("/profile")
    assert answer.headers["location"] == "/signedout?reason=signed_out_elsewhere"
    assert "set-cookie" not in answer.headers
    told = await client.get(answer.headers["location"])
    assert "It was signed out from another device." in told.text


async def test_an_idle_session_is_told_so(world: World) -> None:
    client = await ada(world)
    world.clock.advance(hours=2)
    assert (await client.get("/profile")).headers["location"] == "/signedout?reason=idle"


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


async def test_a_wrong_password_keeps_the_address_and_never_the_password(world: World) -> None:
    client = await world.client(None)
    for password in ("wrong horse", "short"):
        answer = await client.post("/login", data={"email": "ada@example.com", "password": password})
        assert answer.status_code == 400
        assert "The email address or the password is wrong." in answer.text
        assert 'value="ada@example.com"' in answer.text
        assert password not in answer.text


async def test_an_unproven_address_is_offered_another_link(backend: Backend) -> None:
    async with world_on(backend, mandatory_verification()) as world:
        await world.register()
        client = await world.client(None)
        fields = {"email": "ada@example.com", "password": "correct horse"}
        answer = await client.post("/login", data=fields)
        assert answer.status_code == 401
        assert "Confirm your address first" in answer.text
        first = world.secret(LetterKind.VERIFY_ADDRESS)
        sent = await client.post("/verifyemail", data={"email": "ada@example.com"})
        assert sent.headers["location"] == "/checkemail?about=verify"
        await world.deliver()
        assert world.secret(LetterKind.VERIFY_ADDRESS) != first


async def test_every_page_has_a_strict_policy_with_a_nonce_of_its_own(world: World) -> None:
    """B4: every page has a strict policy with a nonce of its own."""
    client = await ada(world)
    paths = ["/login", "/register", "/forgotpassword", "/checkemail", "/verifyemail/x", *FOR_MEMBERS]
    stranger = await world.client(None)
    nonces = set()
    for path in paths:
        answer = await (client if path.startswith("/profile") else stranger).get(path)
        if path == "/profile/data":
            continue
        policy = answer.headers["content-security-policy"]
        nonce = re.search(r"style-src 'nonce-(\w{32})'; script-src 'nonce-\1'", policy)
        assert nonce
        nonces.add(nonce.group(1))
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none';")
        assert not re.search(r"<style|style=|onclick|https?://(?!localhost)", answer.text)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert len(nonces) == len(paths) - 1


async def test_the_chosen_language_is_kept_and_used(world: World) -> None:
    client = await world.client(None)
    client.headers["Accept-Language"] = "fr"
    assert 'lang="fr"' in (await client.get("/login")).text
    answer = await client.post("/language", data={"language": "de", "return_to": "/register?x=1"})
    assert answer.headers["location"] == "/register?x=1"
    assert '<html lang="de">' in (await client.get("/register")).text
    fields = {
        "name": "Ada",
        "email": "ada@example.com",
        "password": "correct horse",
        "passwordConfirm": "correct horse",
    }
    assert (await client.post("/register", data=fields)).headers["location"] == "/checkemail?about=registered"
    await world.deliver()
    assert world.post.letters[-1].language == "de"


async def test_an_unknown_language_is_none(world: World) -> None:
    client = await world.client(None)
    answer = await client.post("/language", data={"language": "tlh", "return_to": "//evil.example"})
    assert answer.headers["location"] == "/profile"
    assert "set-cookie" not in answer.headers


async def test_deleting_asks_for_the_password_and_ends_everything(world: World) -> None:
    client = await ada(world)
    csrf = token_in(await client.get("/profile/delete"))
    wrong = await client.post("/profile/delete", data={"csrf": csrf, "currentPassword": "wrong horse"})
    assert wrong.status_code == 403
    assert "This is not your current password." in wrong.text
    done = await client.post("/profile/delete", data={"csrf": csrf, "currentPassword": "correct horse"})
    assert done.headers["location"] == "/login?notice=deleted"
    assert not client.cookies.get("access_token")
    answer = await (await world.client(None)).post(
        "/login", data={"email": "ada@example.com", "password": "correct horse"}
    )
    assert answer.status_code == 400


async def test_my_data_is_mine_and_holds_no_secret(world: World) -> None:
    client = await ada(world)
    await world.register("grace@example.com")
    answer = await client.get("/profile/data")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    mine = answer.json()
    assert mine["account"]["address"] == "ada@example.com"
    assert [session["id"] for session in mine["live"]] == [await session_of(client)]
    assert {event["kind"] for event in mine["events"]} == {"registered", "signed_in"}
    assert not re.search(r"argon2|password_hash|eyJ|grace|[0-9a-f]{64}", answer.text)


@pytest.mark.parametrize("which", ["/{other}", ""])
async def test_s10_a_sign_in_too_long_ago_is_asked_for_again_and_then_leads_back(world: World, which: str) -> None:
    client = await ada(world)
    other = await world.sign_in()
    path = "/profile/security/sessions" + which.format(other=await session_of(other))
    for _ in range(2):
        world.clock.advance(minutes=10)
        await client.post("/api/auth/refresh")
        await other.post("/api/auth/refresh")
    answer = await client.post(path, data={"csrf": token_in(await client.get("/profile"))})
    assert answer.status_code == 403
    assert "Please sign in again" in answer.text
    assert (await other.get("/api/users/me")).status_code == 200
    fields = {"email": "ada@example.com", "password": "correct horse", "return_to": "/profile/security"}
    again = await client.post("/login", data=fields)
    assert (again.status_code, again.headers["location"]) == (303, "/profile/security")
    await client.post(path, data={"csrf": token_in(await client.get("/profile"))})
    assert (await other.get("/api/users/me")).status_code == 401
