"""What hashes a password takes a slot before anything else is done, and a crowd without one costs nobody a query."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness.process import UNLIMITED, given_keys, register, serving, sign_in
from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import World
from vestibule.flows.invite import invite
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.state.passwords import Passwords
from vestibule.web.map_reading import PAGES, ROUTES

LOGIN = {"email": "ada@example.com", "password": "wrong horse"}
FULL = {
    "status": "error",
    "code": "overloaded",
}


NEW = {"password": "another horse", "passwordConfirm": "another horse"}
ALL_FIELDS = {**LOGIN, **NEW, "name": "Ada", "currentPassword": "wrong horse"}
# To the API, and to a page.
SENT: dict[bool, dict[str, Any]] = {True: {"json": ALL_FIELDS}, False: {"data": ALL_FIELDS}}
RESETS = [(line.method, line.path) for line in (*ROUTES, *PAGES) if line.hashes and "{token}" in line.path]
SECRETS = {True: LetterKind.INVITATION, False: LetterKind.RESET_PASSWORD}


@contextmanager
def hashes_counted(passwords: Passwords) -> Iterator[list[str]]:
    """The real thing, and a note of each hash that is made."""
    made: list[str] = []
    hashing = passwords.hash

    async def noted(password: str) -> str:
        made.append(password)
        return await hashing(password)

    passwords.hash = noted  # type: ignore[method-assign]
    yield made


@asynccontextmanager
async def taken(world: World) -> AsyncIterator[None]:
    """Every slot there is."""
    passwords, leaving = world.env.passwords, asyncio.Event()

    async def sit() -> None:
        async with passwords.admission_slot():
            await leaving.wait()

    sitting = [asyncio.create_task(sit()) for _ in range(passwords.threads.capacity)]
    await asyncio.sleep(0)
    yield
    leaving.set()
    await asyncio.gather(*sitting)


HASHING = [(line.method, line.path) for line in (*ROUTES, *PAGES) if line.hashes]


@pytest.mark.parametrize(("method", "path"), HASHING)
async def test_without_a_slot_it_is_refused_before_the_database_is_asked(world: World, method: str, path: str) -> None:
    client = await world.client()
    await world.take_database_away()
    async with taken(world):
        answer = await client.request(method, re.sub(r"{\w+}", "0" * 64, path), **SENT[path.startswith("/api/")])
    assert answer.status_code == 503
    assert not path.startswith("/api/") or FULL.items() <= answer.json().items()
    assert "retry-after" in answer.headers


@pytest.mark.parametrize(("method", "path"), RESETS)
async def test_p12_an_invented_token_costs_no_hash(world: World, method: str, path: str) -> None:
    """P12: it is looked for first."""
    await world.register()
    client, passwords = await world.client(), world.env.passwords
    with hashes_counted(passwords) as made:
        answer = await client.request(method, path.format(token="0" * 64), **SENT[path.startswith("/api/")])
        assert answer.status_code == 403, answer.text
        assert made == []
        await client.post("/api/auth/forgotpassword", json={"email": "ada@example.com"})
        await invite(world.env, COMMAND_LINE, "Grace", "grace@example.com")
        await world.deliver()
        made.clear()
        secret = world.secret(SECRETS["invitation" in path])
        answer = await client.request(method, path.format(token=secret), **SENT[path.startswith("/api/")])
        assert answer.status_code in {200, 303}, answer.text
        assert len(made) == 1


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


async def test_slots_are_given_back_with_the_answer(world: World) -> None:
    client = await world.client()
    answers = await asyncio.gather(*(client.post("/api/auth/login", json=LOGIN) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {400}
    async with taken(world):  # all of them are free again
        pass


MAKING_CODES = {f"/api/users/me/factors/{last}" for last in ("totp/confirm", "recovery-codes", "passkeys")}
TAKING_CODES = {"/api/auth/login/second-factor"}
WITHOUT_A_PASSWORD = {f"/api/admin/{last}" for last in ("people", "invitations", "people/{account_id}/invite")}
"""Operators make accounts with a password that nobody knows."""
ENROLLING = {f"/api/auth/login/enrol/{last}" for last in ("totp/confirm", "passkey")}


def test_each_line_of_the_map_that_takes_a_password_says_that_it_hashes() -> None:
    """By the fields of what is sent: a route that asks for a password hashes it. Others hash recovery codes."""
    taking = {line.path for line in ROUTES if line.body and any("assword" in name for name in line.body.model_fields)}
    others = MAKING_CODES | TAKING_CODES | ENROLLING | WITHOUT_A_PASSWORD
    assert {line.path for line in ROUTES if line.hashes} == taking | others
    assert {line.handler.__name__ for line in PAGES if line.hashes} == {
        "sign_in",
        "register",
        "reset",
        "change_password",
        "change_email",
        "delete",
        "confirm_app",
        "add_my_passkey",
        "add_passkey",
        "make_codes",
        "take_second_step",
        "reauthenticate",
        "accept",
        "make",
        "carry_out",
    }


def test_who_sends_slowly_takes_no_slot_from_others(tmp_path: Path) -> None:
    head = b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with serving(tmp_path, **given_keys(), **UNLIMITED) as server, server.browser() as browser, ExitStack() as stack:
        register(browser, LOGIN["email"])
        address = ("127.0.0.1", server.port)
        slow = [stack.enter_context(closing(socket.create_connection(address, WAIT_SECONDS))) for _ in range(100)]
        for connection in slow:
            connection.sendall(head + b"Content-Length: 99\r\n\r\n{")
        sign_in(browser, LOGIN["email"])
        slow[0].setblocking(False)
        with pytest.raises(BlockingIOError):  # its body is waited for still, for ten seconds
            slow[0].recv(1)
