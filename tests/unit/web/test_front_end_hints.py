"""The log explains what a front-end does wrong and cannot see: once a minute, bounded."""

from dataclasses import replace

import pytest
from starlette.datastructures import Headers
from structlog.testing import capture_logs

from tests.harness.clock import ManualClock
from tests.harness.world import BASE, FRONT_END, WEB, World
from vestibule.protocol.other_sites import DOCTORS_ORIGIN
from vestibule.web.front_end_hints import MAX_HINTS, FrontEndHints

pytestmark = pytest.mark.any_engine
EVENTS = {"origin_refused", "cookies_kept_back", "credentials_left_out", "body_not_json", "return_to_ignored"}
FORGOTTEN = "http://localhost:5173"
PREFLIGHT = {"Access-Control-Request-Method": "POST"}
ASKED = {
    "a preflight": ("OPTIONS", "/api/auth/login", PREFLIGHT),
    "a refusal": ("POST", "/api/auth/login", {}),
    "a read whose answer no script may see": ("GET", "/api/users/me", {}),
    "a page": ("POST", "/login", {}),
    "nowhere": ("GET", "/api/nope", {}),
}


async def told(world: World, method: str, path: str, headers: dict[str, str], times: int = 1) -> list[dict[str, str]]:
    """The lines that the requests leave."""
    with capture_logs() as lines:
        for _ in range(times):
            await (await world.client(None)).request(method, path, headers=headers)
    return [line for line in lines if line["event"] in EVENTS]


@pytest.mark.parametrize(("method", "path", "headers"), ASKED.values(), ids=ASKED)
async def test_b10_it_is_named_with_the_setting_once_a_minute(
    world: World, method: str, path: str, headers: dict[str, str]
) -> None:
    """B10: wherever it asks."""
    sent = {**headers, "Origin": FORGOTTEN}
    (line,) = await told(world, method, path, sent, times=3)
    assert line["origin"] == FORGOTTEN
    assert "add it to ORIGIN" in line["hint"]
    assert FRONT_END in line["hint"]
    world.clock.advance(minutes=1)
    assert len(await told(world, method, path, sent, times=2)) == 1


@pytest.mark.parametrize("origin", [FRONT_END, BASE, DOCTORS_ORIGIN])
async def test_b10_a_listed_origin_our_own_and_the_doctor_s_leave_no_line(world: World, origin: str) -> None:
    """B10: nor does a request without one."""
    assert await told(world, "GET", "/api/users/me", {"Origin": origin}) == []
    assert await told(world, "GET", "/api/users/me", {}) == []


async def test_b10_where_none_is_listed_the_line_says_so() -> None:
    """B10: in production, without ORIGIN."""
    hints = FrontEndHints(replace(WEB, origins=frozenset()), ManualClock())
    with capture_logs() as lines:
        hints.check_origin(Headers({"Origin": FORGOTTEN, "Host": "auth.example.com"}))
        hints.return_to_ignored("https://evil.example")
    assert ["(now: none)" in line["hint"] for line in lines] == [True, True]


async def test_b10_strangers_choose_origins_and_still_fill_no_log(world: World) -> None:
    """B10: fifty in a minute, each cut short, and nothing in them is a line of its own."""
    with capture_logs() as lines:
        browser = await world.client(None)
        for number in range(MAX_HINTS * 10):
            await browser.get("/api/nope", headers={"Origin": f"http://{number}.example{'x' * 3000}"})
    named = [line["origin"] for line in lines if line["event"] == "origin_refused"]
    assert len(named) == MAX_HINTS
    assert max(map(len, named)) <= 100


OWN_FORM = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
"""What Chromium sends with a form of our pages, because they send no Referer."""


async def test_a_form_of_our_own_pages_leaves_no_line(world: World) -> None:
    assert await told(world, "POST", "/login", OWN_FORM) == []
    assert len(await told(world, "POST", "/login", {**OWN_FORM, "Sec-Fetch-Site": "cross-site"})) == 1


CROSS_SITE = {"Origin": FRONT_END, "Host": "127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"}
"""What a browser sends from http://localhost:3000 to http://127.0.0.1:8000."""


async def test_cookies_that_the_browser_keeps_back_are_explained_once_a_minute(world: World) -> None:
    (line,) = await told(world, "GET", "/api/users/me", CROSS_SITE, times=3)
    assert (line["event"], line["origin"], line["host"]) == ("cookies_kept_back", FRONT_END, "127.0.0.1:8000")
    assert "different sites" in line["hint"]
    assert line["hint"].endswith("have the front-end call this server at http://localhost:8000")


async def test_a_server_elsewhere_is_called_by_the_name_of_the_front_end(world: World) -> None:
    (line,) = await told(world, "GET", "/api/users/me", {**CROSS_SITE, "Host": "auth.example.com:8000"})
    assert line["hint"].endswith("this server by the name that the front-end has, such as localhost")


async def test_b10_another_name_of_this_machine_is_led_to_the_one_that_is_listed(world: World) -> None:
    """B10: `localhost` is listed, and somebody opens `127.0.0.1`. Another port or scheme is another origin."""
    port = FRONT_END.rpartition(":")[2]
    (line,) = await told(world, "GET", "/api/nope", {"Origin": f"http://127.0.0.1:{port}"})
    assert f"open your front-end at {FRONT_END} instead" in line["hint"]
    for other in ("http://127.0.0.1:1", f"https://127.0.0.1:{port}", f"http://127.0.0.2.example:{port}", "http://["):
        (line,) = await told(world, "GET", "/api/nope", {"Origin": other})
        assert "add it to ORIGIN" in line["hint"], other


@pytest.mark.parametrize("sent", [{"Sec-Fetch-Site": "same-site"}, {"Authorization": "Bearer x"}])
async def test_where_no_cookie_is_missing_there_is_no_line(world: World, sent: dict[str, str]) -> None:
    assert await told(world, "GET", "/api/users/me", {**CROSS_SITE, **sent}) == []


SIGN_IN = {"email": "ada@example.com", "password": "correct horse"}
MINE = ("GET", "/api/users/me")
AFTER_A_SIGN_IN: dict[str, tuple[tuple[str, str], dict[str, str], int, int]] = {
    "without credentials": (MINE, {}, 0, 1),
    "a refresh without credentials": (("POST", "/api/auth/refresh"), {}, 9, 1),
    "another browser, later": (MINE, {}, 10, 0),
    "with a cookie": (MINE, {"Cookie": "logged_in=true"}, 0, 0),
    "with the token": (MINE, {"Authorization": "Bearer x"}, 0, 0),
    "a preflight": (("OPTIONS", "/api/users/me"), {"Access-Control-Request-Method": "GET"}, 0, 0),
    "a page of ours": (MINE, {"Origin": BASE}, 0, 0),
}


@pytest.mark.parametrize(("call", "headers", "seconds", "lines"), AFTER_A_SIGN_IN.values(), ids=AFTER_A_SIGN_IN)
async def test_a_call_without_credentials_after_a_sign_in_is_explained(
    world: World, call: tuple[str, str], headers: dict[str, str], seconds: int, lines: int
) -> None:
    """A front-end that leaves `credentials` out signs in, and is answered 401 for ever."""
    await world.register()
    assert (await (await world.client()).post("/api/auth/login", json=SIGN_IN)).status_code == 200
    world.clock.advance(seconds=seconds)
    found = await told(world, *call, {"Origin": FRONT_END, **headers}, times=3)
    assert [line["event"] for line in found] == ["credentials_left_out"] * lines
    assert all('credentials: "include"' in line["hint"] for line in found)


async def test_without_a_sign_in_nobody_is_told_of_credentials(world: World) -> None:
    await world.register()
    wrong = await (await world.client()).post("/api/auth/login", json={**SIGN_IN, "password": "wrong horse"})
    assert wrong.status_code == 400
    assert await told(world, *MINE, {"Origin": FRONT_END}) == []


NOT_JSON = ["", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
ROUTES_WITH_BODIES = [
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/forgotpassword"),
    ("PATCH", f"/api/auth/resetpassword/{'0' * 64}"),
]


@pytest.mark.parametrize("content_type", NOT_JSON)
@pytest.mark.parametrize(("method", "path"), ROUTES_WITH_BODIES)
async def test_a_body_that_was_not_read_is_explained(world: World, method: str, path: str, content_type: str) -> None:
    """The answer says only that fields are missing, in the words of the contract."""
    with capture_logs() as lines:
        for boundary in "xyz":
            headers = {"Content-Type": content_type.replace("boundary=x", f"boundary={boundary}")}
            answer = await (await world.client()).request(method, path, content=b'{"x":1}', headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (400, "body_invalid")
    (line,) = [line for line in lines if line["event"] in EVENTS]
    assert (line["event"], line["content_type"]) == ("body_not_json", content_type.partition(";")[0])
    assert "Content-Type: application/json" in line["hint"]


@pytest.mark.parametrize(("content", "content_type"), [(b"", "text/plain"), (b"{}", "application/json")])
async def test_json_and_no_body_leave_no_line(world: World, content: bytes, content_type: str) -> None:
    with capture_logs() as lines:
        browser = await world.client()
        await browser.post("/api/auth/login", content=content, headers={"Content-Type": content_type})
    assert [line for line in lines if line["event"] in EVENTS] == []


def test_in_production_only_the_origin_is_logged() -> None:
    """There strangers send every body, and the doctor speaks of cookies."""
    hints = FrontEndHints(replace(WEB, secure_cookies=True), ManualClock())
    with capture_logs() as lines:
        hints.check_origin(Headers({key.lower(): value for key, value in CROSS_SITE.items()}))
        hints.check_body_type("text/plain")
        hints.return_to_ignored(FORGOTTEN)
        hints.signed_in(Headers({"origin": FRONT_END}))
        hints.check_origin(Headers({"origin": FRONT_END}))
        hints.check_origin(Headers({"origin": FORGOTTEN}))
    assert [line["event"] for line in lines] == ["origin_refused"]


def test_content_types_of_strangers_fill_no_log() -> None:
    hints = FrontEndHints(WEB, ManualClock())
    with capture_logs() as lines:
        for number in range(MAX_HINTS * 2):
            hints.check_body_type(f"text/{number}" + "\n" * 3000)
    assert len(lines) == MAX_HINTS
    assert max(len(line["content_type"]) for line in lines) <= 200


@pytest.mark.parametrize("path", ["/login", "/register", "/forgotpassword"])
@pytest.mark.parametrize("target", [f"{FORGOTTEN}/", f"{FRONT_END}/#orders", "https://localhost:3000/"])
async def test_a_target_that_is_ignored_is_explained(world: World, path: str, target: str) -> None:
    with capture_logs() as lines:
        for _ in range(2):
            await (await world.client(None)).get(path, params={"return_to": target})
    (line,) = [line for line in lines if line["event"] in EVENTS]
    assert (line["event"], line["return_to"]) == ("return_to_ignored", target)
    assert FRONT_END in line["hint"]


async def test_a_target_that_is_allowed_leaves_no_line(world: World) -> None:
    with capture_logs() as lines:
        for target in ("", "/profile/security", f"{FRONT_END}/orders"):
            await (await world.client(None)).get("/login", params={"return_to": target})
    assert [line for line in lines if line["event"] in EVENTS] == []
