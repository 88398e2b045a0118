"""Flood the servers with sign-ins from another process, so that sending them does not delay the measuring process.

`python -m measure.faults.flood EMAIL AT_ONCE SECONDS PORT …` prints a `Flooded` as JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from measure.wire import Asker, request

_SHED = {429, 503}


@dataclass
class Flooded:
    """How many attempts ended with each status, and the seconds that each attempt waited for a 429 or 503 (`shed`)."""

    outcomes: dict[str, int] = field(default_factory=dict)
    shed: list[float] = field(default_factory=list)


async def flood(email: str, at_once: int, seconds: float, ports: list[int]) -> Flooded:
    """Run the flood in another process, and return what it found: `at_once` sign-ins at a time, for `seconds`."""
    arguments = [email, str(at_once), str(seconds), *map(str, ports)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "measure.faults.flood", *arguments, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return Flooded(**json.loads(said))


async def _knock_on(ports: list[int], email: str, at_once: int, seconds: float) -> Flooded:
    """Send `at_once` sign-ins at a time, each on a connection of its own, until `seconds` are over."""
    sent = request("POST", "/api/auth/login", body={"email": email, "password": "correct horse"})
    outcomes, shed = Counter[str](), list[float]()

    async def knock(number: int) -> None:
        begun = time.monotonic()
        with suppress(OSError):
            async with Asker(ports[number % len(ports)]) as asker:
                status = (await asker.ask(sent)).status
            outcomes[str(status)] += 1
            if status in _SHED:
                shed.append(time.monotonic() - begun)

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.gather(*(knock(number) for number in range(at_once)))
    return Flooded(dict(outcomes), shed)


def main() -> None:
    """Run the command."""
    email, at_once, seconds, *ports = sys.argv[1:]
    found = asyncio.run(_knock_on([int(port) for port in ports], email, int(at_once), float(seconds)))
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
