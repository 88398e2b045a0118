"""What hashes a password takes a seat before anything else is done, and a crowd without one costs nobody a query."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.harness.process import UNLIMITED, given_keys, register, serving, sign_in
from tests.harness.world import World
from vestibule.web.routes import PAGES, ROUTES

LOGIN = {"email": "ada@example.com", "password": "wrong horse"}
FULL = {
    "status": "error",
    "code": "overloaded",
}


@asynccontextmanager
async def taken(world: World) -> AsyncIterator[None]:
    """Every seat there is."""
    passwords, leaving = world.env.passwords, asyncio.Event()

    async def sit() -> None:
        async with passwords.seat():
            await leaving.wait()

    sitting = [asyncio.create_task(sit()) for _ in range(passwords.threads.room)]
    await asyncio.sleep(0)
    yield
    leaving.set()
    await asyncio.gather(*sitting)


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register"])
async def test_without_a_seat_it_is_refused_before_the_database_is_asked(world: World, path: str) -> None:
    client = await world.client()
    await world.take_database_away()
    async with taken(world):
        answer = await client.post(path, json={**LOGIN, "name": "Ada", "passwordConfirm": "wrong horse"})
    assert answer.status_code == 503
    assert FULL.items() <= answer.json().items()
    assert "retry-after" in answer.headers


async def test_a_page_says_so_too(world: World) -> None:
    client = await world.client()
    async with taken(world):
        answer = await client.post("/login", data=LOGIN)
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")


async def test_what_hashes_nothing_needs_none(world: World) -> None:
    client = await world.client()
    async with taken(world):
        assert (await client.get("/api/healthchecker")).status_code == 200
        assert (await client.post("/api/auth/forgotpassword", json={"email": "ada@example.com"})).status_code == 200


async def test_seats_are_given_back_with_the_answer(world: World) -> None:
    client = await world.client()
    answers = await asyncio.gather(*(client.post("/api/auth/login", json=LOGIN) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {400}
    async with taken(world):  # all of them are free again
        pass


def test_each_line_of_the_map_that_takes_a_password_is_counted_as_one_that_hashes() -> None:
    hashing = {
        line.handler.__name__
        for line in (*ROUTES, *PAGES)
        if line.limit and line.limit.value in {"sign_in", "register"}
    }
    assert hashing >= {
        "login",
        "register",
        "sign_in",
        "change_my_password",
        "change_my_address",
        "change_password",
        "delete",
    }


def test_who_sends_slowly_takes_no_seat_from_others(tmp_path: Path) -> None:
    head = b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with serving(tmp_path, **given_keys(), **UNLIMITED) as server, server.browser() as browser, ExitStack() as stack:
        register(browser, LOGIN["email"])
        for _ in range(100):
            slow = stack.enter_context(closing(socket.create_connection(("127.0.0.1", server.port), 20)))
            slow.sendall(head + b"Content-Length: 99\r\n\r\n{")
        begun = time.monotonic()
        sign_in(browser, LOGIN["email"])
        assert time.monotonic() - begun < 5  # a slow body is waited for for ten
