"""Under which name the server may be asked; and what a request is told that names another, several or none."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.harness.backends import Backend
from tests.harness.world import FRONT_END, WEB, World, world_on

pytestmark = pytest.mark.any_engine
OURS = replace(WEB, hosts=frozenset({"auth.example.com"}))
WELCOME = ["auth.example.com", "AUTH.example.com:443", "auth.example.com.", "localhost:8000", "127.0.0.1", "[::1]:8000"]
STRANGE = [
    "evil.example",
    "auth.example.com.evil.example",
    "evil.example:443",
    "xauth.example.com",
    "192.0.2.1",
    "[::2]",
]
INVALID = [
    "",
    "auth.example.com, evil.example",
    "a b",
    "user@auth.example.com",
    "auth.example.com:x",
    "http://a",
    "a/b",
]
PATHS = ["/api/users/me", "/api/healthchecker", "/api/auth/refresh", "/api/nope"]


@pytest.fixture
async def ours(backend: Backend) -> AsyncIterator[World]:
    """A Vestibule that has one name."""
    async with world_on(backend, web=OURS) as made:
        yield made


async def ask(world: World, path: str, *hosts: str) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer to a request with these Host headers, as the server in front hands it over."""
    answer: list[Any] = []
    headers = [(b"origin", FRONT_END.encode()), *((b"host", host.encode()) for host in hosts)]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": headers, "client": ("192.0.2.7", 4711), "scheme": "http", "http_version": "1.1"}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        answer.append(message)

    await world.app(scope, receive, send)
    start = answer[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


@pytest.mark.parametrize("path", PATHS)
async def test_h5_only_a_listed_name_is_answered(ours: World, path: str) -> None:
    usual, _ = await ask(ours, path, "auth.example.com")
    assert usual != 421
    for host in WELCOME:
        assert (await ask(ours, path, host))[0] == usual, host
    for host in STRANGE:
        status, headers = await ask(ours, path, host)
        assert status == 421, host
        assert headers["access-control-allow-origin"] == FRONT_END


@pytest.mark.parametrize("path", PATHS)
async def test_h5_no_host_two_hosts_and_what_is_no_host_are_400(world: World, path: str) -> None:
    for hosts in [(), ("a.example", "a.example"), ("a.example", "b.example"), *((host,) for host in INVALID)]:
        assert (await ask(world, path, *hosts))[0] == 400, hosts


async def test_h5_a_remembered_caller_is_no_exception(ours: World) -> None:
    await ours.register()
    browser = await ours.sign_in()
    assert (await browser.get("/api/users/me")).status_code == 200
    for header, status in (("evil.example", 421), ("auth.example.com", 200)):
        assert (await browser.get("/api/users/me", headers={"Host": header})).status_code == status
    refused = await browser.get("/api/users/me", headers={"Host": "evil.example"})
    assert refused.json()["code"] == "host_unknown"
    assert "VESTIBULE_ALLOWED_HOSTS" in refused.json()["message"]


@pytest.mark.parametrize(
    ("host", "secure", "policy"),
    [
        ("localhost:8000", False, "no-referrer"),
        ("127.0.0.1", False, "no-referrer"),
        ("[::1]:8000", False, "no-referrer"),
        ("auth.localhost", False, "no-referrer"),
        ("auth.lan:8000", False, "strict-origin"),
        ("192.0.2.1:8000", False, "strict-origin"),
        ("localhost.evil.example", False, "strict-origin"),
        ("auth.example.com", True, "no-referrer"),
    ],
)
async def test_b11_a_page_lets_its_origin_be_sent_only_where_nothing_else_tells_it(
    backend: Backend, host: str, secure: bool, policy: str
) -> None:
    """B11: and the API, which has no forms, never."""
    async with world_on(backend, web=replace(WEB, secure_cookies=secure)) as world:
        assert (await ask(world, "/login", host))[1]["referrer-policy"] == policy
        assert (await ask(world, "/api/healthchecker", host))[1]["referrer-policy"] == "no-referrer"
