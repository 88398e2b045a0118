"""What a server takes when nobody asks anything of it: the time to its first answer, and memory."""

import asyncio
from pathlib import Path
from time import perf_counter

from measure.server import HEALTH, Server, answering, vestibule
from measure.speed.plan import Plan
from measure.speed.results import Footprint
from tests.harness.process import starting


async def measure_footprint(plan: Plan, folder: Path, settings: dict[str, str]) -> Footprint:
    """On a database that exists, with its keys made: every start but an installation's first."""
    async with vestibule(folder, settings):
        pass
    starts = []
    for _ in range(plan.starts):
        begun = perf_counter()
        with starting(folder, **settings) as running:
            await answering(running.port, HEALTH, running.process)
            starts.append(perf_counter() - begun)
            if len(starts) == plan.starts:
                await asyncio.sleep(plan.idle)
                worker, parent = Server.of(running).megabytes()
    return Footprint(worker, parent, starts)
