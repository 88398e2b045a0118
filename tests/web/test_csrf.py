"""Who may make a browser ask: every cell of Fetch Metadata times Origin, for every route that changes something."""

import httpx
import pytest

from tests.harness.world import BASE, FRONT_END, World

ROUTES = [
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("GET", "/api/auth/refresh"),
    ("POST", "/api/auth/refresh"),
    ("GET", "/api/auth/logout"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/forgotpassword"),
    ("PATCH", "/api/auth/resetpassword/" + "0" * 64),
]
SITES = [None, "none", "same-origin", "same-site", "cross-site"]
ORIGINS = [None, FRONT_END, BASE, "https://elsewhere.example", "null"]
IN_REFRESHS_WORDS = "Could not refresh access token"
IN_PLAIN_WORDS = "This request was made by another site, which is not allowed"


def asking_from(site: str | None, origin: str | None) -> dict[str, str]:
    """The two headers, as far as the browser sends them."""
    given = {"Sec-Fetch-Site": site, "Origin": origin}
    return {name: value for name, value in given.items() if value is not None}


def from_elsewhere(site: str | None, origin: str | None) -> bool:
    """Whether the browser says so; one from before Fetch Metadata says it with its Origin alone."""
    if origin == FRONT_END:
        return False
    return site == "cross-site" or (site is None and origin not in {None, BASE})


async def signed_in(world: World) -> httpx.AsyncClient:
    """A browser with cookies, on no page in particular."""
    await world.register()
    browser = await world.sign_in()
    del browser.headers["Origin"]
    return browser


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_another_sites_request_is_refused_and_no_other(world: World, method: str, path: str) -> None:
    browser = await world.client(origin=None)
    for site in SITES:
        for origin in ORIGINS:
            answer = await browser.request(method, path, headers=asking_from(site, origin))
            refused = from_elsewhere(site, origin)
            assert (answer.json().get("code") == "cross_site") is refused, (site, origin, answer.text)
            assert not refused or answer.status_code == 403


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_the_refusal_has_the_words_of_its_route_and_no_cookie(world: World, method: str, path: str) -> None:
    browser = await signed_in(world)
    answer = await browser.request(method, path, headers=asking_from("cross-site", "https://elsewhere.example"))
    words = IN_REFRESHS_WORDS if path.endswith("/refresh") else IN_PLAIN_WORDS
    assert answer.status_code == 403
    assert answer.json() == {"status": "fail", "code": "cross_site", "message": words}
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_sign_out_ends_nothing(world: World, method: str) -> None:
    """B1: a refused sign out ends nothing."""
    browser = await signed_in(world)
    await browser.request(method, "/api/auth/logout", headers=asking_from("cross-site", None))
    assert (await browser.get("/api/users/me")).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_refresh_leaves_the_token_unspent(world: World, method: str) -> None:
    """R7: a refused refresh leaves the token unspent."""
    browser = await signed_in(world)
    await browser.request(method, "/api/auth/refresh", headers=asking_from("cross-site", "null"))
    assert (await browser.get("/api/auth/refresh")).status_code == 200
