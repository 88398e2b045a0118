"""Cookies as browsers and their enemies send them: which count, which do not, and what ours look like."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import WEB, World, world_on
from vestibule.web import cookies
from vestibule.web.web_policy import WebPolicy

pytestmark = pytest.mark.any_engine
PREFIXED = replace(WEB, secure_cookies=True, cookie_prefix="__Host-")


@pytest.fixture
async def prefixed(backend: Backend) -> AsyncIterator[World]:
    """A Vestibule in production whose HttpOnly cookies have the prefix."""
    async with world_on(backend, web=PREFIXED) as made:
        yield made


async def tokens_of(world: World, email: str) -> dict[str, str]:
    """Somebody's cookies, by name."""
    await world.register(email)
    return cookies_in(await (await world.client()).post("/api/auth/login", json=login(email)))


def login(email: str) -> dict[str, str]:
    return {"email": email, "password": "correct horse"}


def cookies_in(answer: httpx.Response) -> dict[str, str]:
    """Name and value of each cookie that an answer sets."""
    pairs = [line.partition(";")[0].partition("=") for line in answer.headers.get_list("set-cookie")]
    return {name: value for name, _, value in pairs}


async def test_s4_the_prefix_is_on_both_httponly_cookies_and_keeps_its_rules(prefixed: World) -> None:
    await prefixed.register()
    browser = await prefixed.client()
    signed_in = await browser.post("/api/auth/login", json=login("ada@example.com"))
    sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies_in(signed_in).items())}
    answers = [
        signed_in,
        await browser.post("/api/auth/refresh", headers=sent),
        await browser.post("/api/auth/logout", headers=sent),
    ]
    for answer in answers:
        lines = answer.headers.get_list("set-cookie")
        assert answer.status_code == 200, answer.text
        names = [line.partition("=")[0] for line in lines if not line.startswith("__Host-device_")]
        assert names == ["__Host-access_token", "__Host-refresh_token", "logged_in"]
        for line in lines:
            assert "; Path=/;" in line
            assert "; Secure;" in line
            assert "domain" not in line.lower()
            assert ("HttpOnly" in line) is not line.startswith("logged_in=")
            assert len(line.partition(";")[0]) < 4096


async def test_s4_without_the_prefix_a_cookie_of_that_kind_counts_for_nothing(prefixed: World) -> None:
    tokens = await tokens_of(prefixed, "ada@example.com")
    browser = await prefixed.client()
    plain = f"access_token={tokens['__Host-access_token']}; refresh_token={tokens['__Host-refresh_token']}"
    assert (await browser.get("/api/users/me", headers={"Cookie": plain})).status_code == 401
    assert (await browser.post("/api/auth/refresh", headers={"Cookie": plain})).status_code == 403


@pytest.mark.parametrize("web", [WEB, PREFIXED], ids=["plain", "prefixed"])
async def test_s5_no_second_and_no_look_alike_cookie_wins(backend: Backend, web: WebPolicy) -> None:
    async with world_on(backend, web=web) as world:
        name = cookies.name_of(cookies.ACCESS, web)
        mine = (await tokens_of(world, "ada@example.com"))[name]
        his = (await tokens_of(world, "eve@example.com"))[name]
        look_alikes = [
            name.upper(),
            name.swapcase(),
            f"_{name}",
            f"__Host_{name}",
            f"{name}[]",
            f'"{name}"',
            f"${name}",
        ]
        look_alikes += [f"_[Host-{name}", f"__Secure-{name}", f"{name}\u00a0", f"%5f{name}", f"{name}%20", f"{name}."]
        for other in look_alikes:
            for header in (f"{other}={his}; {name}={mine}", f"{name}={mine}; {other}={his}"):
                assert await caller(world, header) == "ada@example.com", header
            assert await caller(world, f"{other}={his}") is None, other
        for header in (f"{name}={his}; {name}={mine}", f"{name}={mine}; {name}={his}", f"{name}={mine};{name} = {his}"):
            assert await caller(world, header) is None
        for bad in (f'{name}="{mine}"', f"{name}={mine}, {name}={his}", f"{name}={mine}\t{his}"):
            assert await caller(world, bad) is None
        # Named twice with one value there is nothing to doubt.
        assert await caller(world, f"{name}={mine}; {name}={mine}") == "ada@example.com"


async def caller(world: World, cookie: str) -> str | None:
    """Who is asking, by this Cookie header alone."""
    browser = await world.client(origin=None)
    answer = await browser.get("/api/users/me", headers={b"Cookie": cookie.encode("latin-1")})
    assert answer.status_code in {200, 401}
    return str(answer.json()["data"]["user"]["email"]) if answer.status_code == 200 else None


async def test_s2_a_session_that_was_there_before_the_sign_in_is_not_the_one_after_it(world: World) -> None:
    planted = await tokens_of(world, "eve@example.com")
    await world.register()
    header = {"Cookie": "; ".join(f"{name}={value}" for name, value in planted.items())}
    answer = await (await world.client()).post("/api/auth/login", json=login("ada@example.com"), headers=header)
    given = cookies_in(answer)
    assert given["access_token"] != planted["access_token"]
    assert await caller(world, f"access_token={given['access_token']}") == "ada@example.com"
    assert await caller(world, f"access_token={planted['access_token']}") == "eve@example.com"


async def test_s2_who_signs_in_again_leaves_no_session_behind(world: World) -> None:
    """S2: with either face; the tokens of before are refused, and another account's and another browser's stay."""
    await world.register()
    elsewhere = await world.sign_in()
    browser = await world.sign_in()
    for face in ("api", "page"):
        old = dict(browser.cookies)
        if face == "api":
            assert (await browser.post("/api/auth/login", json=login("ada@example.com"))).status_code == 200
        else:
            del browser.headers["Origin"]
            assert (await browser.post("/login", data=login("ada@example.com"))).status_code == 303
        stranger = await world.client()
        header = {"Cookie": "; ".join(f"{name}={value}" for name, value in old.items())}
        assert (await stranger.get("/api/users/me", headers=header)).status_code == 401
        assert (await stranger.post("/api/auth/refresh", headers=header)).status_code == 403
        assert (await browser.get("/api/users/me")).status_code == 200
        assert (await elsewhere.get("/api/users/me")).status_code == 200
    sessions = (await browser.get("/api/users/me/sessions")).json()["data"]["sessions"]
    assert len(sessions) == 2


async def test_s2_a_wrong_password_ends_nothing(world: World) -> None:
    """S2: only signing in does."""
    await world.register()
    browser = await world.sign_in()
    wrong = {"email": "ada@example.com", "password": "wrong horse"}
    assert (await browser.post("/api/auth/login", json=wrong)).status_code == 400
    assert (await browser.get("/api/users/me")).status_code == 200


async def test_s3_what_the_server_did_not_make_and_what_is_elsewhere_signs_nobody_in(world: World) -> None:
    token = (await tokens_of(world, "ada@example.com"))["access_token"]
    browser = await world.client(origin=None)
    session = (await browser.get("/api/auth/verify", headers={"Cookie": f"access_token={token}"})).headers
    for cookie in (
        f"session={token}",
        f"access_token={session['vestibule-session']}",
        "access_token=made-up",
        f"sid={token}",
    ):
        answer = await browser.get("/api/users/me", headers={"Cookie": cookie})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
    for query in ("session", "sid", "token", "access_token"):
        answer = await browser.get(f"/api/users/me?{query}={token}")
        assert answer.status_code == 401
        assert token not in answer.text
    assert (await browser.request("GET", "/api/users/me", json={"access_token": token})).status_code == 401


async def test_t13_one_credential_is_one_and_of_two_kinds_the_header_goes_first(world: World) -> None:
    mine = (await tokens_of(world, "ada@example.com"))["access_token"]
    his = (await tokens_of(world, "eve@example.com"))["access_token"]
    browser = await world.client(origin=None)
    twice = [("Authorization", f"Bearer {mine}"), ("Authorization", f"Bearer {mine}")]
    assert (await browser.get("/api/users/me", headers=twice)).status_code == 400
    both = {"Authorization": f"Bearer {mine}", "Cookie": f"access_token={his}"}
    assert (await browser.get("/api/users/me", headers=both)).json()["data"]["user"]["email"] == "ada@example.com"
    bad = await browser.get("/api/users/me", headers={**both, "Authorization": "Bearer made.up.token"})
    assert bad.status_code == 401
    assert bad.headers["www-authenticate"] == 'Bearer realm="vestibule", error="invalid_token"'
    none = await browser.get(f"/api/users/me?access_token={mine}")
    assert none.headers["www-authenticate"] == 'Bearer realm="vestibule"'
    form = {"access_token": mine}
    assert (await browser.post("/api/auth/logout", data=form)).status_code == 401
