"""Who may make a browser ask: every cell of Fetch Metadata times Origin, for every route that changes something."""

import re

import httpx
import pytest

from tests.harness.world import BASE, FRONT_END, World
from vestibule.web.asking_service import service
from vestibule.web.map_reading import ROUTES as ROUTE_MAP

pytestmark = pytest.mark.any_engine
ROUTES = [
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("GET", "/api/auth/refresh"),
    ("POST", "/api/auth/refresh"),
    ("GET", "/api/auth/logout"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/forgotpassword"),
    ("PATCH", "/api/auth/resetpassword/" + "0" * 64),
    ("POST", "/api/auth/verifyemail"),
    ("PATCH", "/api/users/me/password"),
    ("PATCH", "/api/users/me"),
    ("PATCH", "/api/users/me/email"),
    ("POST", "/api/auth/login/second-factor"),
    ("POST", "/api/auth/login/second-factor/options"),
    ("POST", "/api/auth/login/second-factor/lost"),
    ("POST", "/api/auth/login/enrol/totp"),
    ("POST", "/api/auth/login/enrol/totp/confirm"),
    ("POST", "/api/auth/login/enrol/passkey"),
    ("POST", "/api/auth/login/enrol/passkey/options"),
    ("POST", "/api/auth/email-code"),
    ("POST", "/api/auth/email-code/verify"),
    ("POST", "/api/auth/passkeys/options"),
    ("POST", "/api/auth/passkeys/verify"),
    ("POST", "/api/users/me/factors/totp"),
    ("POST", "/api/users/me/factors/totp/confirm"),
    ("DELETE", "/api/users/me/factors/totp"),
    ("POST", "/api/users/me/factors/recovery-codes"),
    ("DELETE", "/api/users/me/factors/reset"),
    ("POST", "/api/users/me/step-up/options"),
    ("POST", "/api/users/me/step-up"),
    ("POST", "/api/users/me/factors/passkeys/options"),
    ("POST", "/api/users/me/factors/passkeys"),
    ("PATCH", "/api/users/me/factors/passkeys/nonsense"),
    ("DELETE", "/api/users/me/factors/passkeys/nonsense"),
    ("DELETE", "/api/users/me/sessions"),
    ("DELETE", "/api/users/me/sessions/nonsense"),
    *(
        (line.method, re.sub(r"{\w+}", "nonsense", line.path))
        for line in ROUTE_MAP
        if line.permission and line.method != "GET"
    ),
]
# A service shows its key in a header, which no browser adds by itself.
CHANGING = {
    (route.method, route.path.partition("{")[0])
    for route in ROUTE_MAP
    if route.method not in {"GET", "HEAD"} and service not in route.guards and not route.permission
}
KINDS = ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json"]
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
OLD_BROWSERS = [
    FIREFOX["User-Agent"],
    "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54",
    "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18",
    "UCWEB/2.0 (Java; U; MIDP-2.0; en-US; nokia5130) U2/1.0.0 UCBrowser/8.9.0.251 U2/1.0.0 Mobile",
    "Nokia6300/2.0 (07.21) Profile/MIDP-2.0 Configuration/CLDC-1.1",
    "BlackBerry9000/4.6.0.167 Profile/MIDP-2.0",
    "SonyEricssonK800i/R1KG Browser/NetFront/3.3",
    "Lynx/2.8.9rel.1 libwww-FM/2.14",
]
PROGRAMS = ["curl/8.14", "python-httpx/0.28", "okhttp/4.12", "Dart/3.5 (dart:io)", "node", "PostmanRuntime/7.43", ""]
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
    return site in {"cross-site", "same-site"} or (site is None and origin not in {None, BASE})


async def signed_in(world: World) -> httpx.AsyncClient:
    """A browser with cookies, on no page in particular."""
    await world.register()
    browser = await world.sign_in()
    del browser.headers["Origin"]
    return browser


def test_b1_every_route_that_changes_something_is_in_this_table() -> None:
    listed = {(method, path.replace("0" * 64, "").partition("nonsense")[0]) for method, path in ROUTES}
    assert CHANGING - listed == set()


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_another_sites_request_is_refused_and_no_other(world: World, method: str, path: str) -> None:
    """B1, R7, O13: every cell of Fetch Metadata times Origin."""
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


async def test_b1_no_form_reaches_anything_from_any_site(world: World) -> None:
    await world.register()
    body = b'{"email": "ada@example.com", "password": "correct horse"}'
    for site in ("cross-site", "same-site", "same-origin", "none"):
        for kind in KINDS:
            browser = await world.client(origin=None)
            headers = {"Sec-Fetch-Site": site, "Content-Type": kind}
            answer = await browser.post("/api/auth/login", content=body, headers=headers)
            passes = site in {"same-origin", "none"} and kind == "application/json"
            assert (answer.status_code == 200) is passes, (site, kind)
            assert ("set-cookie" in answer.headers) is passes, (site, kind)


@pytest.mark.parametrize(("method", "path"), [("GET", "refresh"), ("POST", "refresh"), ("GET", "logout")])
async def test_a_browser_that_does_not_say_from_where_is_refused_with_a_cookie(
    world: World, method: str, path: str
) -> None:
    """B1, R7: absent both, where a cookie is the credential and it is a browser that adds it."""
    browser = await signed_in(world)
    token = browser.cookies["access_token"]
    answer = await browser.request(method, f"/api/auth/{path}", headers=FIREFOX)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert (await browser.get("/api/users/me", headers=FIREFOX)).status_code == 200
    # A program is nobody's link action boy, and a browser without a cookie has nothing to be robbed of.
    assert (await browser.get("/api/auth/refresh", headers={"User-Agent": "curl/8.14"})).status_code == 200
    without = await world.client(origin=None)
    bearer = {**FIREFOX, "Authorization": f"Bearer {token}"}
    assert (await without.get("/api/auth/logout", headers=bearer)).status_code == 200


@pytest.mark.parametrize("user_agent", OLD_BROWSERS)
async def test_b1_no_browser_of_any_age_passes_for_a_program(world: World, user_agent: str) -> None:
    """B1: whatever it calls itself, where it says neither Origin nor Fetch Metadata and brings a cookie."""
    browser = await signed_in(world)
    for path in ("refresh", "logout"):
        answer = await browser.get(f"/api/auth/{path}", headers={"User-Agent": user_agent})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


@pytest.mark.parametrize("user_agent", PROGRAMS)
async def test_a_program_refreshes_with_its_cookie(world: World, user_agent: str) -> None:
    browser = await signed_in(world)
    assert (await browser.get("/api/auth/refresh", headers={"User-Agent": user_agent})).status_code == 200
