"""One refresh token, presented many times at once: everybody gets the same successor, and nobody is signed out."""

import asyncio
from collections import Counter

import httpx
from sqlalchemy import select

from tests.harness.rounds import rounds
from tests.harness.world import World
from vestibule.storage.sql.schema import sessions

RACERS = 64
TABS = 10
ROUNDS = rounds(200, suite=4)
COOKIES = ["access_token", "logged_in", "refresh_token"]
# A few minutes between the rounds: less than the idle limit, more than the grace.
PAUSE_MINUTES = 5


async def test_every_racer_gets_the_same_successor(racing_world: World) -> None:
    """R2: every racer gets the same successor."""
    await racing_world.register()
    signed_in = await racing_world.sign_in()
    token = signed_in.cookies["refresh_token"]
    racer = await racing_world.client()
    for attempt in range(ROUNDS):
        racing_world.clock.advance(minutes=PAUSE_MINUTES)
        answers = await _race(racer, token)
        assert Counter(answer.status_code for answer in answers) == {200: RACERS}
        assert all(sorted(_set_cookies(answer)) == COOKIES for answer in answers)
        (successor,) = {_set_cookies(answer)["refresh_token"] for answer in answers}
        assert successor != token
        assert await _counters(racing_world) == (attempt + 1, attempt + 1, attempt + 2)
        token = successor.partition("=")[2].partition(";")[0]
    assert await _nobody_is_signed_out(racing_world)


async def test_tabs_that_share_a_cookie_jar_are_never_refused(racing_world: World) -> None:
    await racing_world.register()
    browser = await racing_world.sign_in()
    for _ in range(ROUNDS):
        racing_world.clock.advance(minutes=PAUSE_MINUTES)
        statuses = await asyncio.gather(*(_refresh_and_look(browser) for _ in range(TABS)))
        assert statuses == [(200, 200)] * TABS
    assert await _nobody_is_signed_out(racing_world)


async def _race(racer: httpx.AsyncClient, token: str) -> list[httpx.Response]:
    racer.cookies.clear()
    header = {"Cookie": f"refresh_token={token}"}
    return await asyncio.gather(*(racer.get("/api/auth/refresh", headers=header) for _ in range(RACERS)))


async def _refresh_and_look(tab: httpx.AsyncClient) -> tuple[int, int]:
    refreshed = await tab.get("/api/auth/refresh")
    looked = await tab.get("/api/users/me")
    return refreshed.status_code, looked.status_code


def _set_cookies(answer: httpx.Response) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}


async def _counters(world: World) -> tuple[int, int, int]:
    """Of the only session: the counter last accepted, what had been issued then, and the last one issued."""
    async with world.engines.sqlalchemy_reading() as connection:
        row = (await connection.execute(select(sessions.c.parent, sessions.c.base, sessions.c.current))).one()
    return row.parent, row.base, row.current


async def _nobody_is_signed_out(world: World) -> bool:
    async with world.engines.sqlalchemy_reading() as connection:
        ended = (await connection.execute(select(sessions.c.ended_at, sessions.c.end_reason))).all()
    return ended == [(None, None)]
