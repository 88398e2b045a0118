"""Asking with tokens of any kind, in every place a token can be sent, and what the contract answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.harness.world import World
from tests.stories.hostile.forgery import Good
from vestibule.crypto import jws

ME, REFRESH = "/api/users/me", "/api/auth/refresh"
INVALID = (401, "access_token_invalid", "Invalid token or user doesn't exist")
NOT_SIGNED_IN = (401, "not_signed_in", "You are not logged in")
NO_REFRESH = (403, "refresh_refused", "Could not refresh access token")

Outcome = tuple[int, str, str]
Failures = dict[str, Outcome]


class Listener:
    """A server on loopback that counts who asks it for anything."""

    def __init__(self) -> None:
        self.connections = 0
        self.url = ""

    async def _count(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Listener"]:
        server = await asyncio.start_server(self._count, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self


def good_access(world: World, browser: httpx.AsyncClient) -> Good:
    keys = world.env.keys.access
    return Good(keys.signing, "at+jwt", jws.verify(browser.cookies["access_token"], keys.checking, "at+jwt"))


def good_refresh(world: World, browser: httpx.AsyncClient) -> Good:
    keys = world.env.keys.refresh
    return Good(keys.signing, "rt+jwt", jws.verify(browser.cookies["refresh_token"], keys.checking, "rt+jwt"))


def header_bytes(text: str) -> bytes:
    """As one byte for each character where that is possible, since that is how a server reads them."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


async def as_bearer(client: httpx.AsyncClient, token: str) -> Outcome:
    return outcome(await client.get(ME, headers={b"Authorization": b"Bearer " + header_bytes(token)}))


async def as_cookie(client: httpx.AsyncClient, token: str) -> Outcome:
    return outcome(await client.get(ME, headers={b"Cookie": b"access_token=" + header_bytes(token)}))


async def as_refresh(client: httpx.AsyncClient, token: str) -> Outcome:
    return outcome(await client.get(REFRESH, headers={b"Cookie": b"refresh_token=" + header_bytes(token)}))


async def as_posted_refresh(client: httpx.AsyncClient, token: str) -> Outcome:
    return outcome(await client.post(REFRESH, headers={b"Cookie": b"refresh_token=" + header_bytes(token)}))


def outcome(answer: httpx.Response) -> Outcome:
    """Status, code and message; a refusal that sets or clears a cookie is none."""
    if "application/json" not in answer.headers["content-type"]:
        return answer.status_code, "no JSON", answer.text[:60]
    if answer.status_code != 200 and "set-cookie" in answer.headers:
        return answer.status_code, "a cookie", answer.headers["set-cookie"][:60]
    body = answer.json()
    return answer.status_code, body.get("code", ""), body.get("message", "")


def listing(failures: Failures) -> str:
    return "\n".join(f"{name}: {seen}" for name, seen in failures.items())
