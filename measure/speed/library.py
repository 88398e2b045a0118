"""Find out which library a server hashes with: at its start it measures both, chooses one, and logs it."""

import asyncio
import json

from measure.server import Server
from measure.speed.results import Chosen
from vestibule.crypto.argon2_libraries import Argon2Cffi, Argon2Library, Libsodium

LIBRARIES: dict[str, type[Argon2Library]] = {each.name: each for each in (Argon2Cffi, Libsodium)}
_LOOK_AGAIN_SECONDS = 0.05
_MOST_SECONDS = 30


async def library_of(server: Server) -> Chosen:
    """Wait until the server has logged the library that it chose, and return it; raises `TimeoutError`."""
    async with asyncio.timeout(_MOST_SECONDS):
        while (chosen := said_in(server.log.read_text() if server.log else "")) is None:  # noqa: ASYNC110  # another process writes it
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return chosen


def said_in(log: str) -> Chosen | None:
    """Return the library that a log in JSON names; None if it names none yet."""
    for line in log.splitlines():
        if '"password_hashing"' in line:
            said = json.loads(line)
            return Chosen(said["library"], said["milliseconds"] or {})
    return None
