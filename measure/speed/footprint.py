"""Measure an idle server: the seconds until its first answer, and its memory."""

import asyncio
from pathlib import Path
from time import perf_counter

from measure.server import HEALTH, Server, answering, starting_vestibule, vestibule
from measure.speed.plan import Plan
from measure.speed.results import Footprint


async def measure_footprint(plan: Plan, folder: Path, settings: dict[str, str]) -> Footprint:
    """Return the footprint of starts after the first one, when the database and the keys exist already."""
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
