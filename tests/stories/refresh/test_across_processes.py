"""Two real server processes on one PostgreSQL: everybody who races gets the same successor, wherever he asks."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.process import UNLIMITED, Running, given_keys, register, serving, sign_in
from tests.harness.rounds import rounds
from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import FRONT_END

RACERS = 64
RACES = rounds(200, suite=10)
ATTEMPTS = 5
TABS = 10
ROUNDS = rounds(200, suite=5)
EMAIL = "ada@example.com"
Servers = tuple[Running, Running]


@pytest.fixture
def servers(tmp_path: Path, postgresql: Backend) -> Iterator[Servers]:
    """Two servers that share a database and nothing else, where Ada has an account."""
    settings = {"DATABASE_URL": postgresql.database_url, **UNLIMITED, **given_keys()}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with serving(tmp_path / "a", **settings) as a, serving(tmp_path / "b", **settings) as b:
        with a.browser() as browser:
            register(browser, EMAIL)
        yield a, b


def test_every_racer_at_both_servers_gets_the_same_successor(servers: Servers, postgresql: Backend) -> None:
    """R2: every racer at both servers gets the same successor."""
    asyncio.run(race(servers, postgresql.database_url))


async def race(servers: Servers, database_url: str) -> None:
    database = await asyncpg.connect(database_url)
    with servers[0].browser() as browser:
        sign_in(browser, EMAIL)
        token = browser.cookies["refresh_token"]
    async with AsyncExitStack() as stack:
        racers = [await stack.enter_async_context(connected(servers[n % 2])) for n in range(RACERS)]
        for number in range(1, RACES + 1):
            answers = await asyncio.gather(*(racer.refresh(token) for racer in racers))
            assert {status for status, _ in answers} == {200}
            assert all(set(cookies) == {"access_token", "logged_in", "refresh_token"} for _, cookies in answers)
            assert all(all(cookies.values()) for _, cookies in answers), "an empty cookie is a cleared one"
            (successor,) = {cookies["refresh_token"] for _, cookies in answers}
            assert successor != token
            row = await database.fetchrow("SELECT current, parent, base, ended_at FROM sessions")
            assert tuple(row) == (number + 1, number, number, None)
            token = successor
    await database.close()


class Racer:
    """A connection that is kept, and can do one thing fast."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def refresh(self, token: str) -> tuple[int, dict[str, str]]:
        """The status of the answer, and the cookies it sets. A busy server (503) sets none, and is asked again."""
        for _ in range(ATTEMPTS):
            status, cookies = await self._ask(token)
            if status != 503:
                break
            assert not cookies
        return status, cookies

    async def _ask(self, token: str) -> tuple[int, dict[str, str]]:
        request = f"GET /api/auth/refresh HTTP/1.1\r\nHost: a\r\nOrigin: {FRONT_END}\r\nCookie: refresh_token={token}"
        self._writer.write(f"{request}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        (length,) = re.findall(r"(?im)^content-length: (\d+)", head)
        await self._reader.readexactly(int(length))
        return int(head.split()[1]), dict(re.findall(r"(?im)^set-cookie: (\w+)=([^;]*)", head))


@asynccontextmanager
async def connected(server: Running) -> AsyncIterator[Racer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    yield Racer(reader, writer)
    writer.close()
    await writer.wait_closed()


def test_tabs_on_one_cookie_jar_never_need_a_sign_in(servers: Servers) -> None:
    with servers[0].browser() as browser:
        sign_in(browser, EMAIL)
        jar = browser.cookies
    asyncio.run(use(servers, jar))


async def use(servers: Servers, jar: httpx.Cookies) -> None:
    async with httpx.AsyncClient(cookies=jar, headers={"Origin": FRONT_END}, timeout=WAIT_SECONDS) as browser:
        for _ in range(ROUNDS):
            before = browser.cookies["refresh_token"]
            assert await ask(browser, servers, "/api/auth/refresh") == [200] * TABS
            assert browser.cookies["refresh_token"] != before
            assert await ask(browser, servers, "/api/users/me") == [200] * TABS


async def ask(browser: httpx.AsyncClient, servers: Servers, path: str) -> list[int]:
    """The statuses that the tabs get, half of them at each server."""
    answers = await asyncio.gather(*(browser.get(servers[tab % 2].base + path) for tab in range(TABS)))
    return [answer.status_code for answer in answers]
