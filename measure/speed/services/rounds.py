"""Measure services behind Vestibule: a check, beside one by PyJWT, and a start beside many revocations.

Each round of checks runs in a new process, so that it does not know the tokens yet. The checkers alternate.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from measure import scripts
from measure.load import measure
from measure.scripts import Tokens
from measure.server import PEER_PYTHON, ROOT, SERVER_PYTHON, Ended, Server, vestibule
from measure.speed.loaded_start import record_revocations
from measure.speed.plan import WRITERS, Plan
from measure.speed.results import Checker, Checks, Results, ServiceStart
from measure.wire import Asker
from tests.harness.process import run

_EMAIL = "ada@example.com"
_REST_SECONDS = 2.0
"""Between the start of a service and the look at its memory: by then, the start's own memory is freed."""
_END_SECONDS = 120
_CHECKERS: dict[Checker, Sequence[str]] = {
    Checker.KIT: (SERVER_PYTHON, "-m", "measure.speed.services.checks_of_the_kit"),
    Checker.PYJWT: (PEER_PYTHON, "-m", "measure.speed.services.checks_of_pyjwt"),
}
_START = (SERVER_PYTHON, "-m", "measure.speed.services.start")


async def measure_services(plan: Plan, folder: Path, settings: dict[str, str], results: Results) -> None:
    """Measure starts where nothing is revoked, for the memory of a service alone; then starts and checks beside many
    revocations. Add all to `results`.
    """
    key = (await asyncio.to_thread(run, folder, "services", "create", "bench", **settings)).stdout.strip()
    listed = folder / "tokens.json"
    async with vestibule(folder, settings) as server:
        listed.write_text(json.dumps(await _access_tokens(plan, server)))
        starts = [await _start(server, key, listed, revoked=0) for _ in range(plan.services)]
        results.service_megabytes = median(start.megabytes for start in starts)
    await record_revocations(settings["DATABASE_URL"], plan.revocations)
    async with vestibule(folder, settings) as server:
        results.service_starts = [
            await _start(server, key, listed, revoked=plan.revocations) for _ in range(plan.services)
        ]
        results.checks = {checker: Checks() for checker in Checker}
        for _ in range(plan.services):
            for checker, found in results.checks.items():
                async with _child(_CHECKERS[checker], server, key, listed) as (_, (unknown, known)):
                    found.unknown.append(unknown)
                    found.known.append(known)


async def _access_tokens(plan: Plan, server: Server) -> list[str]:
    """Return all access tokens that some sessions get while they refresh for a while. All are valid."""
    async with Asker(server.port) as asker:
        await asker.ask(scripts.registration(_EMAIL), expected=201)
    signed_in: list[Tokens] = []
    await measure(server, scripts.signing_in([_EMAIL], signed_in, WRITERS, most=WRITERS), 600, 200)
    kept: list[Tokens] = []
    await measure(server, scripts.refreshing(signed_in, kept), plan.refreshes, 200)
    return [held.access for held in kept]


async def _start(server: Server, key: str, listed: Path, *, revoked: int) -> ServiceStart:
    async with _child(_START, server, key, listed) as (process, (known, ready, held, kit_held)):
        if known != revoked:
            raise Ended(f"a service that was ready knew {known} of {revoked} revocations")
        await asyncio.sleep(_REST_SECONDS)
        megabytes = psutil.Process(process.pid).memory_info().rss / 1e6
    return ServiceStart(ready, *held, *kit_held, megabytes)


@asynccontextmanager
async def _child(
    program: Sequence[str], server: Server, key: str, listed: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    """Start a program, and yield its process and the JSON that it printed. After the block, close its input, at which
    it ends. Raises `Ended` if it prints nothing.
    """
    process = await asyncio.create_subprocess_exec(
        *program,
        f"http://127.0.0.1:{server.port}",
        key,
        str(listed),
        cwd=ROOT,
        env={},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_END_SECONDS):
            printed = await process.stdout.readline()
            if not printed:
                raise Ended(f"{program[-1]} ended with {await process.wait()} and printed nothing")
            yield process, json.loads(printed)
            await process.communicate(b"")  # which closes its input
    finally:
        if process.returncode is None:
            process.kill()
