"""Whatever is sent as a body, wherever a body can be sent: an answer in the envelope, and never a fault of ours."""

import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.harness.world import World
from vestibule.web.map_lines import Route
from vestibule.web.map_reading import ROUTES

ROUTES_WITH_BODY = {f"{r.method} {r.path}": r for r in ROUTES if r.method in {"POST", "PATCH"}}
STATUSES = {200: "success", 201: "success", **dict.fromkeys((400, 401, 403, 409, 413, 415), "fail")}
JSON = {"Content-Type": "application/json"}
QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

AWKWARD_TEXTS = (
    "",
    " ",
    "\0",
    "ada\0@example.com",
    "correct\0horse",
    "\ud800",
    "\udfff\ud800",
    "\ufffe\uffff\ufdd0",
    "\u202eevil\u202c",
    "\u2028\u2029",
    "\x1b[31m",
    "\r\nBcc: eve@example.com",
    "e\u0301" * 64,
    "\ufdfa" * 128,
    "\U0010ffff" * 128,
    "x" * 256,
    "x" * 4_000,
    "a@" + "b." * 500 + "com",
    "{{7*7}}",
    "%s%n%x",
    "'; DROP TABLE accounts; --",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "__proto__",
    "ada@example.com",
    "correct horse",
    "admin",
    "user",
    "null",
)
TEXTS = st.sampled_from(AWKWARD_TEXTS) | st.text(max_size=40) | st.text(st.characters(codec=None), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = SCALARS | st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
MEMBERS = ("name", "email", "password", "passwordConfirm", "role")
BODIES = st.fixed_dictionaries({}, optional=dict.fromkeys((*MEMBERS, "id", "verified", "\0"), TEXTS | VALUES))
CONTENT_TYPES = st.sampled_from(
    (
        "",
        "application/json",
        "APPLICATION/JSON; charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; charset=utf-16",
        "application/json; charset*=utf-8''utf-8",
        "application/json;;;=",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json, text/plain",
    )
) | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)
PIECES = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b'"email"',
    b'"password"',
    b"NaN",
    b"1e999",
    b"\\ud800",
    b"\xff",
    b"\0",
)
RAW = (
    st.binary(max_size=300)
    | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
    | st.sampled_from((b"[" * 5_000, b'{"a":' * 2_000, b"9" * 10_000, b" " * 10_240, b" " * 10_241, b"x" * 1_000_000))
)


@pytest.fixture
async def client(world: World) -> httpx.AsyncClient:
    return await world.client()


def path_of(route: Route) -> str:
    return re.sub(r"\{\w+\}", "0123456789abcdef" * 4, route.path)


def in_envelope(answer: httpx.Response) -> None:
    """The contract's envelope: a status that fits the number, a code, a sentence, no stack and no `error`."""
    said = answer.json()
    assert said["status"] == STATUSES[answer.status_code], answer.text
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert "error" not in said
    assert "Traceback" not in answer.text
    if said["status"] == "fail":
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", said["code"])
        assert isinstance(said["message"], str)
        assert said["message"]
    for entry in said.get("errors", []):
        assert {"code", "path", "message"} <= set(entry)
        assert entry["path"][0] == "body"


@pytest.mark.parametrize("name", ROUTES_WITH_BODY)
@given(body=BODIES | VALUES)
@example(body={"email": "ada@example.com", "password": "\ud800" * 8})
@example(body={"name": "Ada", "email": "ada@example.com", "password": "x" * 8, "passwordConfirm": ["x"]})
@example(body={"password": "correct horse", "passwordConfirm": "correct horse"})
@QUICK
async def test_any_json_gets_an_answer_in_the_envelope(client: httpx.AsyncClient, name: str, body: Any) -> None:
    """H6, O1, O14: any json gets an answer in the envelope."""
    route = ROUTES_WITH_BODY[name]
    in_envelope(await client.request(route.method, path_of(route), content=json.dumps(body), headers=JSON))


@pytest.mark.parametrize("name", ROUTES_WITH_BODY)
@given(body=RAW, content_type=CONTENT_TYPES)
@example(body=b"\xef\xbb\xbf{}", content_type="application/json")
@example(body=b'{"email":1e999,"password":-1e999}', content_type="application/json")
@QUICK
async def test_any_bytes_get_an_answer_in_the_envelope(
    client: httpx.AsyncClient, name: str, body: bytes, content_type: str
) -> None:
    """H6, H11: any bytes get an answer in the envelope."""
    route = ROUTES_WITH_BODY[name]
    headers = {b"Content-Type": content_type.encode("latin-1")}
    in_envelope(await client.request(route.method, path_of(route), content=body, headers=headers))


@given(number=st.integers(0, 10**9), name=TEXTS, password=TEXTS.map(lambda text: f"{text}correct horse"))
@QUICK
async def test_everybody_who_is_registered_can_be_written_to(
    world: World, number: int, name: str, password: str
) -> None:
    """M12, O10: everybody who is registered can be written to."""
    client, email = await world.client(), f"ada{number}@example.com"
    body = {"name": name, "email": email, "password": password, "passwordConfirm": password}
    answer = await client.post("/api/auth/register", content=json.dumps(body), headers=JSON)
    in_envelope(answer)
    before = len(world.mailer.messages)
    await world.deliver()
    written = world.mailer.messages[before:]
    assert [message["To"] for message in written] == ([email] if answer.status_code == 201 else [])
    assert all(message["Bcc"] is None and message.as_bytes() for message in written)


async def test_a_path_may_hold_anything(client: httpx.AsyncClient) -> None:
    secrets = [
        "%00",
        "%F0%9F%94%91",
        "%ff%fe",
        "%ED%A0%80",
        "..%2f..",
        "%2e%2e",
        "'%20OR%201=1",
        "0" * 5_000,
        "%0d%0a",
    ]
    body = {"password": "correct horse", "passwordConfirm": "correct horse"}
    for secret in secrets:
        for answer in (
            await client.patch(f"/api/auth/resetpassword/{secret}", json=body),
            await client.get(f"/api/auth/verifyemail/{secret}"),
        ):
            assert answer.status_code in {403, 404}, secret
            assert answer.json()["status"] == "fail"


HOSTILE_HEADERS = [
    {"Origin": "http://["},
    {"Origin": "http://a[b]c"},
    {"Content-Type": "application/json; charset*=utf-8; charset*0=utf-8"},
    {"Content-Type": "application/json; charset*" + "9" * 5000 + "=x"},
    {"Content-Type": "application/json; x*=0; x*0=b"},
    {"Content-Type": ";" * 1000},
]


@pytest.mark.parametrize("headers", HOSTILE_HEADERS, ids=lambda headers: str(headers)[:40])
async def test_a_hostile_header_is_refused_in_the_envelope(world: World, headers: dict[str, str]) -> None:
    """H6: a hostile header is refused in the envelope."""
    client = await world.client(origin=None)
    for method, path in (
        ("POST", "/api/auth/login"),
        ("GET", "/api/auth/refresh"),
        ("POST", "/api/auth/forgotpassword"),
    ):
        answer = await client.request(method, path, content=b"{}", headers=headers)
        assert answer.status_code in {400, 403, 415}, (path, answer.text)
        assert answer.json()["status"] == "fail"


@pytest.mark.parametrize("path", ["/api/users/me%0a", "/api/healthchecker%0a", "/api/auth/login%00", "/%1b%5b31m"])
async def test_a_control_character_in_a_path_is_no_route_of_ours(world: World, path: str) -> None:
    answer = await (await world.client()).get(path)
    assert (answer.status_code, answer.json()["message"]) == (404, f"Route {path} not found")
