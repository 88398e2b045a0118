"""Which library a server hashes with: it measures both at its start, chooses, and says so in its log."""

import asyncio
import json

from measure.server import Server
from measure.speed.results import Chosen
from vestibule.crypto.argon2_libraries import Argon2Cffi, Argon2Library, Libsodium

LIBRARIES: dict[str, type[Argon2Library]] = {each.name: each for each in (Argon2Cffi, Libsodium)}
_LOOK_AGAIN_SECONDS = 0.05
_MOST_SECONDS = 30


async def library_of(server: Server) -> Chosen:
    """The library that the server chose, once it says so; raises `TimeoutError` if it never does."""
    async with asyncio.timeout(_MOST_SECONDS):
        while (chosen := said_in(server.log.read_text() if server.log else "")) is None:  # noqa: ASYNC110  # another process writes it
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return chosen


def said_in(log: str) -> Chosen | None:
    """What a log in JSON says about it."""
    for line in log.splitlines():
        if '"password_hashing"' in line:
            said = json.loads(line)
            return Chosen(said["library"], said["milliseconds"] or {})
    return None
