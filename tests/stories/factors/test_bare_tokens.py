"""An access token that got away changes no second factor, however young: the session's refresh token is missing."""

import httpx
import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.world import World
from tests.stories.factors.apps import TOTP, confirm, enrolled, listed, prove, scan
from tests.stories.passkeys import MINE, add
from vestibule.crypto.entropy import new_id
from vestibule.flows.identify import identify
from vestibule.web.map_reading import PAGES, ROUTES
from vestibule.web.pages.browser_session import form_token

REFUSED = "refresh_token_required"
KEEPS_THEM = "/api/users/me/factors/reset"
CHANGES = [
    (line.method, line.path)
    for line in ROUTES
    if "/me/factors" in line.path and line.method != "GET" and line.path != KEEPS_THEM
]
FORMS = [line.path for line in PAGES if line.path.startswith("/profile/security/") and line.method == "POST"]


async def bare(world: World, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """A program that has the access token alone."""
    thief = await world.client(None)
    thief.headers["Authorization"] = f"Bearer {browser.cookies['access_token']}"
    return thief


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_f38_an_access_token_alone_changes_no_factor(world: World, method: str, path: str) -> None:
    """F38: in the first minutes of its session, by every route that changes factors; a refresh token of another
    session of the account helps nobody.
    """
    await world.register()
    mine, other = await world.sign_in(), await world.sign_in()
    thief, sent = await bare(world, mine), {"code": "123456", "credential": {"id": "x"}, "name": "x"}
    path = path.replace("{passkey_id}", new_id())
    assert (await thief.request(method, path, json=sent)).json()["code"] == REFUSED
    thief.cookies["refresh_token"] = other.cookies["refresh_token"]
    assert (await thief.request(method, path, json=sent)).json()["code"] == REFUSED
    thief.cookies["refresh_token"] = mine.cookies["refresh_token"]
    assert (await thief.request(method, path, json=sent)).json().get("code") != REFUSED


@pytest.mark.parametrize("path", FORMS)
async def test_f38_nor_does_it_by_a_form_of_the_pages(world: World, path: str) -> None:
    """F38: as a cookie, with the form's own field."""
    await world.register()
    mine = await world.sign_in()
    caller = await identify(world.env, mine.cookies["access_token"])
    thief, sent = await world.client(), {"csrf": form_token(world.env, caller)}
    thief.cookies["access_token"] = mine.cookies["access_token"]
    path = path.replace("{passkey_id}", new_id()).replace("{session_id}", new_id())
    refused = await thief.post(path, data=sent)
    assert (refused.status_code, refused.headers["location"].partition("?")[0]) == (303, "/login")
    thief.cookies["refresh_token"] = mine.cookies["refresh_token"]
    assert not (await thief.post(path, data=sent)).headers.get("location", "").startswith("/login")


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
