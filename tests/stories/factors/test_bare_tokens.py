"""An access token that got away changes no credential, factor or session, however young: the session's refresh token is
missing.
"""

import re
from collections.abc import Sequence

import httpx
import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.world import BASE, World
from tests.stories.factors.apps import PASSWORD, TOTP, confirm, enrolled, listed, prove, scan
from tests.stories.passkeys import MINE, add
from vestibule.crypto.entropy import new_id
from vestibule.flows.identify import identify
from vestibule.web.caller import signed_in
from vestibule.web.map_lines import Line
from vestibule.web.map_reading import PAGES, ROUTES
from vestibule.web.pages.browser_session import browser_session, form_token, session_form
from vestibule.web.signing_out import signing_out, signing_out_form

REFUSED = "refresh_token_required"
ENOUGH = {
    "GET /api/auth/logout": "ends its own session",
    "POST /api/auth/logout": "ends its own session",
    "HEAD /api/auth/logout": "changes nothing",
    "GET /api/users/me": "services ask for it",
    "PATCH /api/users/me": "changes a name, by which nobody signs in",
    "GET /api/users/me/factors": "shows no secret",
    "GET /api/users/me/factors/passkeys": "shows no secret",
    "GET /api/users/me/sessions": "shows no secret",
    "GET /api/auth/verify": "proxies ask for it",
    "POST /logout": "ends its own session",
    "GET /profile": "shows no secret",
    "GET /profile/name": "shows no secret",
    "GET /profile/security": "shows no secret",
    "GET /profile/security/password": "only asks",
    "GET /profile/security/email": "only asks",
    "GET /profile/security/authenticator/remove": "only asks",
    "GET /profile/security/recovery-codes/new": "only asks",
    "GET /profile/security/passkeys/{passkey_id}": "only asks",
    "GET /profile/security/passkeys/{passkey_id}/remove": "only asks",
    "GET /profile/delete": "only asks",
}
"""The lines of the URL map for which an access token is enough, and why. All others with a session need more."""


def of_session(lines: Sequence[Line]) -> list[str]:
    """The lines that need a session, without those where operators only look: `operator_guard` asks there for a recent
    sign-in with a second factor.
    """
    by_session = (signed_in, browser_session, session_form, signing_out, signing_out_form)
    return [
        f"{line.method} {line.path}"
        for line in lines
        if any(guard in line.guards for guard in by_session) and not (line.permission and line.method == "GET")
    ]


SENT = {
    "code": "123456",
    "credential": {"id": "x"},
    "name": "Ada",
    "email": "new@example.com",
    "currentPassword": PASSWORD,
    "password": PASSWORD,
    "passwordConfirm": PASSWORD,
}
FORM = {name: value for name, value in SENT.items() if isinstance(value, str)}


async def bare(world: World, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """A program that has the access token alone."""
    thief = await world.client(None)
    thief.headers["Authorization"] = f"Bearer {browser.cookies['access_token']}"
    return thief


async def with_access_cookie(world: World, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser that has the access token alone, in its cookie."""
    thief = await world.client(BASE)
    thief.cookies["access_token"] = browser.cookies["access_token"]
    return thief


def with_ids(line: str) -> tuple[str, str]:
    """The method and the path of a line, with something for each parameter."""
    method, _, path = line.partition(" ")
    return method, re.sub("{.*?}", new_id(), path)


@pytest.mark.parametrize("line", [line for line in of_session(ROUTES) if line not in ENOUGH])
async def test_f38_an_access_token_alone_changes_nothing(world: World, line: str) -> None:
    """F38: in the first minutes of its session, with the right password; a refresh token of another session of the
    account helps nobody.
    """
    await world.register()
    mine, other = await world.sign_in(), await world.sign_in()
    thief, (method, path) = await bare(world, mine), with_ids(line)
    assert (await thief.request(method, path, json=SENT)).json()["code"] == REFUSED
    assert not thief.cookies
    thief.cookies["refresh_token"] = other.cookies["refresh_token"]
    assert (await thief.request(method, path, json=SENT)).json()["code"] == REFUSED
    thief.cookies["refresh_token"] = mine.cookies["refresh_token"]
    assert (await thief.request(method, path, json=SENT)).json().get("code") != REFUSED


@pytest.mark.parametrize("line", [line for line in of_session(PAGES) if line not in ENOUGH])
async def test_f38_nor_does_it_on_the_pages(world: World, line: str) -> None:
    """F38: as a cookie, with the form's own field; nor does it see a secret. The sign-in page does not lead back."""
    await world.register()
    mine = await world.sign_in()
    thief, (method, path) = await with_access_cookie(world, mine), with_ids(line)
    sent = {"csrf": form_token(world.env, await identify(world.env, mine.cookies["access_token"]))} | FORM
    refused = await thief.request(method, path, data=sent)
    assert (refused.status_code, refused.headers["location"].partition("?")[0]) == (303, "/login")
    assert (await thief.get(refused.headers["location"])).status_code == 200
    assert "refresh_token" not in thief.cookies
    thief.cookies["refresh_token"] = mine.cookies["refresh_token"]
    assert not (await thief.request(method, path, data=sent)).headers.get("location", "").startswith("/login")


@pytest.mark.parametrize("line", ENOUGH)
async def test_f38_where_it_is_enough(world: World, line: str) -> None:
    """F38: every exception is a line of the map, and is one."""
    assert line in (*of_session(ROUTES), *of_session(PAGES))
    await world.register()
    mine = await world.sign_in()
    thief, (method, path) = await with_access_cookie(world, mine), with_ids(line)
    sent = {"csrf": form_token(world.env, await identify(world.env, mine.cookies["access_token"]))}
    is_page = not path.startswith("/api")
    answer = await thief.request(method, path, **({"data": sent} if is_page else {"json": SENT}))
    assert REFUSED not in answer.text
    assert answer.headers.get("location", "") != "/login"


async def test_f38_a_front_end_with_a_bearer_and_the_cookie_adds_both(world: World) -> None:
    """F38: so does one whose tab has just refreshed; not one with a refresh token from before that."""
    await world.register()
    mine = await world.sign_in()
    front = await bare(world, mine)
    earliest = mine.cookies["refresh_token"]
    for _ in range(2):
        front.cookies["refresh_token"] = mine.cookies["refresh_token"]
        assert (await mine.post("/api/auth/refresh")).status_code == 200
        assert (await front.post(TOTP)).status_code == 200, "its answer may have got lost"
    front.cookies["refresh_token"] = earliest
    assert (await front.post(TOTP)).json()["code"] == REFUSED
    front.cookies["refresh_token"] = mine.cookies["refresh_token"]
    await confirm(front, (await scan(world, front)).code())
    assert (await listed(front))["totp"]


async def test_f38_a_step_up_does_not_help_it(world: World) -> None:
    """F38: its token goes to the same services."""
    mine, app, _ = await enrolled(world)
    await prove(mine, app)
    assert (await (await bare(world, mine)).post(f"{MINE}/options")).json()["code"] == REFUSED
    assert (await add(mine, Authenticator())).status_code == 201
