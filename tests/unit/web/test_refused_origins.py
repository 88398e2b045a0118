"""An origin that is not allowed is named in the log, with the setting that would allow it: once a minute, bounded."""

import pytest
from structlog.testing import capture_logs

from tests.harness.world import BASE, FRONT_END, World
from vestibule.web.refused_origins import MAX_ORIGINS

pytestmark = pytest.mark.any_engine
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
    return [line for line in lines if line["event"] == "origin_refused"]


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


@pytest.mark.parametrize("origin", [FRONT_END, BASE])
async def test_b10_a_listed_origin_and_our_own_leave_no_line(world: World, origin: str) -> None:
    """B10: nor does a request without one."""
    assert await told(world, "GET", "/api/users/me", {"Origin": origin}) == []
    assert await told(world, "GET", "/api/users/me", {}) == []


async def test_b10_strangers_choose_origins_and_still_fill_no_log(world: World) -> None:
    """B10: fifty in a minute, each cut short, and nothing in them is a line of its own."""
    with capture_logs() as lines:
        browser = await world.client(None)
        for number in range(MAX_ORIGINS * 10):
            await browser.get("/api/nope", headers={"Origin": f"http://{number}.example{'x' * 3000}"})
    named = [line["origin"] for line in lines if line["event"] == "origin_refused"]
    assert len(named) == MAX_ORIGINS
    assert max(map(len, named)) <= 100
