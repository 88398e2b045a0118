"""Measure Vestibule, FastAPI-Users and Better Auth under the same load, in alternating rounds, on one PostgreSQL
server.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from measure import scripts
from measure.load import Measured, Script, VirtualUser, measure
from measure.server import Server
from measure.speed.contenders import ENTRIES, Entry, better_auth_command, reason_to_leave_out
from measure.speed.limits import Limits
from measure.speed.plan import READERS, WARM_UP_SECONDS, WRITERS, Plan
from measure.speed.results import Contender, Operation, Results
from measure.wire import Asker

_EMAILS = [f"ada-{number}@example.com" for number in range(20)]
_READ = 100  # tokens whose owner is read, one after the other
_LIBRARY_OF_PWDLIB = "argon2-cffi"


@dataclass(frozen=True)
class Running:
    """A contender that answers, with the tokens that its sign-ins returned."""

    entry: Entry
    server: Server
    tokens: list[str] = field(default_factory=list)


async def measure_contenders(plan: Plan, folder: Path, settings: dict[str, str], results: Results) -> None:
    """Measure what each contender's password hash takes alone; then sign-ins, reads and sign-outs. Add all to
    `results`.
    """
    results.left_out = {
        entry.name: reason for entry in ENTRIES if (reason := reason_to_leave_out(entry.name)) is not None
    }
    entries = [entry for entry in ENTRIES if entry.name not in results.left_out]
    await _hashes(plan, entries, results)
    async with AsyncExitStack() as stack:
        all_running = [
            Running(entry, await stack.enter_async_context(entry.serving(folder, settings))) for entry in entries
        ]
        for running in all_running:
            await _people(running)
        for operation, step in ((Operation.LOGIN, _sign_ins), (Operation.ME, _looks)):
            for timed in (False, *[True] * plan.rounds):
                for running in all_running:
                    found = await step(running, plan.others if timed else WARM_UP_SECONDS)
                    if timed:
                        results.beside[running.entry.name][operation].add(found)
        for running in all_running:
            results.beside[running.entry.name][Operation.LOGOUT].add(await _log_outs(running))


async def _hashes(plan: Plan, entries: list[Entry], results: Results) -> None:
    limits = Limits()
    for entry in entries:
        if entry.name is Contender.BETTER_AUTH:
            results.hashes[entry.name] = await _hashes_in_node(plan.limits)
        else:
            library = results.chosen.library if entry.name is Contender.VESTIBULE else _LIBRARY_OF_PWDLIB
            results.hashes[entry.name] = await limits.hashes(library, plan.limits)


async def _hashes_in_node(seconds: float) -> Measured:
    process = await asyncio.create_subprocess_exec(
        *better_auth_command("hash.mjs", str(seconds)), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    return Measured(**json.loads(printed))


async def _people(running: Running) -> None:
    async with Asker(running.server.port) as asker:
        for email in _EMAILS:
            await asker.ask(running.entry.requests.register(email), running.entry.requests.registered)


async def _sign_ins(running: Running, seconds: float) -> Measured:
    emails = cycle(_EMAILS)
    users = [VirtualUser(_signing_in(running, emails)) for _ in range(WRITERS)]
    return await measure(running.server, users, seconds, 200)


def _signing_in(running: Running, emails: Iterator[str]) -> Script:
    for email in emails:
        answer = yield running.entry.requests.sign_in(email)
        running.tokens.append(running.entry.requests.token_of(answer))


async def _looks(running: Running, seconds: float) -> Measured:
    looks = [running.entry.requests.look(token) for token in running.tokens[-_READ:]]
    return await measure(running.server, scripts.again_and_again(looks, READERS), seconds, 200)


async def _log_outs(running: Running) -> Measured:
    leaves = (running.entry.requests.sign_out(token) for token in running.tokens)
    return await measure(running.server, scripts.sharing(leaves, WRITERS), 600, running.entry.requests.signed_out)
