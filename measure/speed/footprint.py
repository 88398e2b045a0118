"""What a server takes when nobody asks anything of it: the time to its first answer, and memory."""

import asyncio
from pathlib import Path
from time import perf_counter

from measure.server import HEALTH, Server, answering, starting_vestibule, vestibule
from measure.speed.plan import Plan
from measure.speed.results import Footprint


async def measure_footprint(plan: Plan, folder: Path, settings: dict[str, str]) -> Footprint:
    """On a database that exists, with its keys made: every start but an installation's first."""
    async with vestibule(folder, settings):
        pass
    starts = []
    for _ in range(plan.starts):
        begun = perf_counter()
        with starting_vestibule(folder, settings) as running:
            await answering(running.port, HEALTH, running.process)
            starts.append(perf_counter() - begun)
            if len(starts) == plan.starts:
                await asyncio.sleep(plan.idle)
                server = Server.of(running)
                (worker, parent), together = server.megabytes(), server.shared_out_megabytes()
    return Footprint(worker, parent, together, starts)
