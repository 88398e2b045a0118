"""Pages, asked as a browser without a script asks: guards, cookies and what they never do."""

import re

import pytest

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.web.people import FILES, ada, session_of
from tests.unit.web.test_second_step_page import with_second_step
from vestibule.model.events import EventKind
from vestibule.model.sessions import EndReason
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.map_reading import PAGES
from vestibule.web.pages.account_words import WHAT_HAPPENED, WHY_OVER
from vestibule.web.pages.words import NOTICES, WHY_NOT

pytestmark = pytest.mark.any_engine


# These are told to operators, in the log.
ABOUT_NO_ACCOUNT = {
    EventKind.SIGNING_KEY_ROTATED,
    EventKind.SIGNING_KEY_WITHDRAWN,
    EventKind.SERVICE_CREATED,
    EventKind.SERVICE_REVOKED,
    EventKind.ROLE_CREATED,
    EventKind.ROLE_PERMISSIONS_CHANGED,
    EventKind.ROLE_DELETED,
    EventKind.LETTERS_RETRIED,
    EventKind.REGISTRATION_REFUSED,
}
FOR_MEMBERS = [
    page.path.format(passkey_id="0") for page in PAGES if page.method == "GET" and page.path.startswith("/profile")
]


def test_whatever_can_happen_has_its_words() -> None:
    assert set(WHY_OVER) == set(EndReason)
    assert set(WHAT_HAPPENED) | ABOUT_NO_ACCOUNT == set(EventKind)
    # No request with a wrong method or host reaches a page.
    assert {look.status for look in HTTP_MAPPINGS.values()} - {421} <= set(WHY_NOT)


def test_every_notice_that_is_led_to_is_there() -> None:
    assert all(re.fullmatch("[a-z_]+", notice) for notice in NOTICES)


@pytest.mark.parametrize("path", FOR_MEMBERS)
async def test_a_page_for_the_signed_in_leads_everybody_else_to_sign_in(world: World, path: str) -> None:
    answer = await (await world.client(None)).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        "/login" if path == "/profile" else f"/login?return_to={path.replace('/', '%2F')}"
    )


async def test_an_expired_access_token_is_renewed_by_the_page_itself(world: World) -> None:
    client = await ada(world)
    session, spent = await session_of(client), client.cookies["refresh_token"]
    world.clock.advance(minutes=16)
    page = await client.get("/profile")
    assert page.status_code == 200
    assert client.cookies["refresh_token"] != spent
    assert await session_of(client) == session
    world.clock.advance(minutes=16)
    answer = await client.post("/profile/verification", data={"csrf": csrf_in(page)})
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
    assert "You were signed out from another device." in told.text


async def test_an_idle_session_is_told_so(world: World) -> None:
    client = await ada(world)
    world.clock.advance(hours=2)
    assert (await client.get("/profile")).headers["location"] == "/signedout?reason=idle"


async def test_every_page_has_a_strict_policy_with_a_nonce_of_its_own(world: World) -> None:
    """B4: every page has a strict policy with a nonce of its own."""
    client, _ = await with_second_step(world)  # without a factor, some pages lead back
    paths = ["/reauthenticate", "/login", "/register", "/forgotpassword", "/checkemail", "/verifyemail/x", *FOR_MEMBERS]
    stranger = await world.client(None)
    nonces = set()
    for path in paths:
        answer = await (client if path.startswith(("/profile", "/reauth")) else stranger).get(path)
        if path in FILES:
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
    assert len(nonces) == len(paths) - len(FILES)


async def test_my_data_is_mine_and_holds_no_secret(world: World) -> None:
    client = await ada(world)
    await world.register("grace@example.com")
    answer = await client.get("/profile/data")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    mine = answer.json()
    assert mine["account"]["email"] == "ada@example.com"
    assert [session["id"] for session in mine["live"]] == [await session_of(client)]
    assert {event["kind"] for event in mine["events"]} == {"registered", "signed_in"}
    assert not re.search(r"argon2|password_hash|eyJ|grace|[0-9a-f]{64}", answer.text)
