"""What a browser fetches before anybody has clicked changes nothing, wherever a GET changes something."""

import pytest

from tests.harness.world import World
from vestibule.model.letters import LetterKind
from vestibule.web.map_reading import PAGES, ROUTES
from vestibule.web.prefetch import on_purpose

pytestmark = pytest.mark.any_engine
AHEAD = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Sec-Purpose": "prefetch;anonymous-client-ip"},
    {"Purpose": "prefetch"},
    {"Purpose": "Preview"},
    {"X-Purpose": "preview"},
    {"X-Moz": "prefetch"},
]
CHANGING_GETS = {"/api/auth/refresh", "/api/auth/logout", "/api/auth/verifyemail/{code}"}


def test_b9_the_map_guards_every_get_that_has_a_head_of_its_own() -> None:
    """B9: such a GET changes something, and so do exactly those that are tried below."""
    changing = {route.path for route in ROUTES if route.method == "HEAD"}
    guarded = {route.path for route in ROUTES if on_purpose in route.guards}
    assert changing == guarded == CHANGING_GETS


@pytest.mark.parametrize("headers", AHEAD, ids=str)
async def test_b9_a_prefetch_neither_signs_out_nor_refreshes_nor_verifies(
    world: World, headers: dict[str, str]
) -> None:
    """B9: and the click that comes after it does."""
    await world.register()
    browser = await world.sign_in()
    code = world.secret(LetterKind.VERIFY_EMAIL)
    for path in ("logout", "refresh", f"verifyemail/{code}"):
        answer = await browser.get(f"/api/auth/{path}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "fetched_ahead")
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    assert (await browser.get("/api/users/me")).status_code == 200
    assert (await browser.get(f"/api/auth/verifyemail/{code}")).status_code == 200
    assert (await browser.get("/api/auth/refresh")).status_code == 200
    assert (await browser.get("/api/auth/logout")).status_code == 200


@pytest.mark.parametrize("path", sorted({page.path for page in PAGES if page.method == "GET" and "{" not in page.path}))
async def test_b9_no_page_renews_tokens_for_a_prefetch(world: World, path: str) -> None:
    """B9: nor does it answer with the way to sign in, which a browser would keep for the click."""
    await world.register()
    browser = await world.sign_in()
    browser.cookies.delete("access_token")
    answer = await browser.get(path, headers={"Sec-Purpose": "prefetch"})
    assert not any("_token" in cookie for cookie in answer.headers.get_list("set-cookie"))
    # Without a sign-in that waits, these lead to the first step, with a session or not.
    if path not in {"/login/second-step", "/login/second-step/lost", "/login/enrol"}:
        assert not answer.headers.get("location", "").startswith("/login")
    assert answer.status_code in {200, 303, 403, 404}
