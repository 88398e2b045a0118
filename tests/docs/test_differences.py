"""`docs/contract-differences.md` says what is so: each row here is in the page, and is asked of a running Vestibule."""

import base64
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.docs.paths import DOCS
from tests.harness import backends
from tests.harness.world import WEB, World, world_on
from vestibule.crypto.seal import Seal
from vestibule.model.signing_keys import KeyManager
from vestibule.web import cookies

PAGE = (DOCS / "contract-differences.md").read_text()
LOGIN, REGISTER = "/api/auth/login", "/api/auth/register"
ADA = {"email": "ada@example.com", "password": "correct horse"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """One on SQLite: none of this is the database's."""
    async with backends.fresh(backends.SQLITE, tmp_path) as backend, world_on(backend) as made:
        yield made


async def cookies_beside_the_three(world: World) -> None:
    await world.register()
    browser = await world.client()
    answers = [
        await browser.post(LOGIN, json=ADA),
        await browser.post("/language", data={"language": "de", "return_to": "/login"}),
        await (await world.client()).get("/register", params={"return_to": "/profile/security"}),
        await (await world.client()).post("/login", data={"email": "nobody"}, headers={"Accept": "text/html"}),
    ]
    lines = [line for answer in answers for line in answer.headers.get_list("set-cookie")]
    others = [line for line in lines if not re.match(r"(access_token|refresh_token|logged_in)=", line)]
    assert [re.sub(r"=.*|(?<=^device_)\w+", "", line) for line in others] == [
        cookies.DEVICE,
        cookies.LANGUAGE,
        cookies.RETURN_TO,
        cookies.KEPT,
        cookies.REFUSED_FORM,
    ]
    assert all("; HttpOnly" in line for line in others)
    assert ["; Max-Age=3600; " in line for line in others] == [False, False, True, False, False]


async def cookies_that_are_cleared(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    lines = (await browser.post("/api/auth/logout")).headers.get_list("set-cookie")
    assert [re.sub(r" Expires=[^;]+;", "", line) for line in lines] == [
        "access_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
        "refresh_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
        "logged_in=; Max-Age=0; Path=/; SameSite=Lax",
    ]


async def the_root(world: World) -> None:
    answer = await (await world.client()).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/profile")


async def no_etag(world: World) -> None:
    answer = await (await world.client()).get("/api/healthchecker", headers={"If-None-Match": "*"})
    assert answer.status_code == 200
    assert "etag" not in answer.headers


async def options_that_are_no_preflight(world: World) -> None:
    browser = await world.client(origin=None)
    for headers in ({}, {"Origin": "http://localhost:3000"}, {"Access-Control-Request-Method": "POST"}):
        answer = await browser.options(LOGIN, headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def lengths_in_code_points(world: World) -> None:
    for emoji, status in ((7, 400), (8, 201)):
        password = "\N{DUCK}" * emoji
        sent = {"name": "\N{DUCK}" * 255, "email": "ada@example.com", "password": password}
        answer = await (await world.client()).post(REGISTER, json={**sent, "passwordConfirm": password})
        assert answer.status_code == status


async def malformed_content_types(world: World) -> None:
    for content_type, code in {
        "application": "body_invalid",
        "application/json, text/plain": "body_invalid",
        "application/json charset=utf-8": "body_invalid",
        ";;;": "body_invalid",
        "application/json; charset": "unsupported_media",
    }.items():
        assert (await _sent(world, b"{}", content_type)).json()["code"] == code


async def a_byte_order_mark(world: World) -> None:
    answer = await _sent(world, b'\xef\xbb\xbf{"email": "ada@example.com", "password": "correct horse"}')
    assert (answer.status_code, answer.json()["code"]) == (400, "body_malformed")


async def paths_in_another_case(world: World) -> None:
    assert (await (await world.client()).post("/API/auth/login", json=ADA)).status_code == 404


async def refresh_tokens_of_keys_made_here(world: World) -> None:
    await world.register()
    made_here = KeyManager(Seal("a secret of more than thirty-two characters"), "RS256", 2048)
    async with world_on(world.backend, key_manager=made_here) as started:
        jar = (await started.sign_in()).cookies
    headers = [
        base64.urlsafe_b64decode(jar[name].partition(".")[0] + "==") for name in ("access_token", "refresh_token")
    ]
    assert [json.loads(header)["alg"] for header in headers] == ["RS256", "EdDSA"]


async def long_local_parts(world: World) -> None:
    sent = {"name": "Ada", "password": "correct horse", "passwordConfirm": "correct horse"}
    for length, status in ((65, 400), (64, 201)):
        email = f"{'a' * length}@example.com"
        assert (await (await world.client()).post(REGISTER, json={**sent, "email": email})).status_code == status


async def a_host_of_somebody_else(world: World) -> None:
    web = replace(WEB, hosts=frozenset({"auth.example.com"}))
    async with world_on(world.backend, web=web) as named:
        for host, status in (("other.example.com", 421), ("a b", 400)):
            assert (await (await named.client()).get("/api/users/me", headers={"Host": host})).status_code == status


ROWS: dict[str, Callable[[World], Awaitable[None]]] = {
    "cookies beside the three": cookies_beside_the_three,
    "cookies that are cleared": cookies_that_are_cleared,
    "`/`, and the paths of [pages](pages.md)": the_root,
    "`ETag`, `If-None-Match`": no_etag,
    "`OPTIONS` without `Origin` or without `Access-Control-Request-Method`": options_that_are_no_preflight,
    "lengths of names and passwords": lengths_in_code_points,
    "a malformed `Content-Type`": malformed_content_types,
    "a body that begins with a byte order mark": a_byte_order_mark,
    "a path in another case, such as `/API/auth/login`": paths_in_another_case,
    "a `Host` that is not this server's": a_host_of_somebody_else,
    "refresh token": refresh_tokens_of_keys_made_here,
    "a name beyond 255 characters, an email beyond 254 or with more than 64 bytes before the `@`": long_local_parts,
}


@pytest.mark.parametrize("row", ROWS)
async def test_it_differs_as_the_page_says(row: str, world: World) -> None:
    assert f"\n| {row} | " in PAGE
    await ROWS[row](world)


OURS = (
    *("DEVICE", "LANGUAGE", "RETURN_TO", "SENT_LETTER", "REFUSED_FORM", "RECOVERY_CODES", "SERVICE_KEY"),
    *("CEREMONY", "SECOND_FACTOR", "EMAIL_CODE", "KEPT", "OPERATOR_SESSION"),
)


@pytest.mark.parametrize("name", OURS)
def test_the_page_names_every_cookie_of_our_own(name: str) -> None:
    assert re.search(rf"`{getattr(cookies, name)}[`…]", PAGE)


def test_no_cookie_has_a_name_that_the_test_above_does_not_know() -> None:
    constants = {name for name, value in vars(cookies).items() if name.isupper() and name[0] != "_" and value}
    assert constants == {"ACCESS", "REFRESH", "LOGGED_IN", *OURS}


async def _sent(world: World, body: bytes, content_type: str = "application/json") -> httpx.Response:
    return await (await world.client()).post(LOGIN, content=body, headers={"Content-Type": content_type})
