"""A flood of sign-ins, from a process of its own, so that what measures beside it is not held up by sending it.

`python -m measure.faults.flood EMAIL AT_ONCE SECONDS PORT …` prints what came of it, as JSON.
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
    """How each attempt ended, and the seconds that those waited who were refused."""

    outcomes: dict[str, int] = field(default_factory=dict)
    shed: list[float] = field(default_factory=list)


async def flood(email: str, at_once: int, seconds: float, ports: list[int]) -> Flooded:
    """Start it in a process of its own, and wait for its end."""
    arguments = [email, str(at_once), str(seconds), *map(str, ports)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "measure.faults.flood", *arguments, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return Flooded(**json.loads(said))


async def _knock_on(ports: list[int], email: str, at_once: int, seconds: float) -> Flooded:
    """A number at once, each on its own connection, again and again."""
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
