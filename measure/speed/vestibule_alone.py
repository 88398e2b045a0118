"""Measure each operation on one server on PostgreSQL, in rounds that alternate with its limit."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from measure import scripts
from measure.load import measure
from measure.scripts import ME, VERIFY, Tokens
from measure.server import Server, granian, vestibule
from measure.speed.library import library_of
from measure.speed.limits import Limits, algorithm_of, selects
from measure.speed.plan import FLOOD, READERS, WARM_UP_SECONDS, WRITERS, Plan
from measure.speed.results import Limit, Operation, Results
from measure.wire import Asker

_PEOPLE = 100
"""With fewer people, a fast machine would sign somebody in more often than an account may have sessions."""
_KNOWN = 100
_FROM_SERVER = {"date", "server"}


async def measure_vestibule(plan: Plan, folder: Path, settings: dict[str, str], results: Results) -> None:
    """Measure a server, and then a second one that has not seen the tokens of the first. Add all to `results`."""
    limits = Limits()
    async with vestibule(folder, settings) as server:
        results.chosen = await library_of(server)
        emails = await _people(server)
        signed_in = await _sign_ins(plan, server, emails, limits, results)
        results.algorithms = algorithm_of(signed_in[0].access), algorithm_of(signed_in[0].refresh)
        await _reads(plan, server, signed_in[:_KNOWN], results)
        async with vestibule(folder, settings) as elsewhere:
            await _flood(plan, server, elsewhere, emails, signed_in[0], results)
        await _refreshes(plan, server, signed_in[:WRITERS], limits, results)
        await _registrations(plan, server, folder, results)
    async with vestibule(folder, settings) as server:
        await _first_sights(plan, server, signed_in, settings["DATABASE_URL"], limits, results)


async def _people(server: Server) -> list[str]:
    emails = [f"ada-{number}@example.com" for number in range(_PEOPLE)]
    async with Asker(server.port) as asker:
        for email in emails:
            await asker.ask(scripts.registration(email), expected=201)
    return emails


async def _sign_ins(plan: Plan, server: Server, emails: list[str], limits: Limits, results: Results) -> list[Tokens]:
    kept: list[Tokens] = []
    await measure(server, scripts.signing_in(emails, [], WRITERS), WARM_UP_SECONDS, 200)
    users = scripts.signing_in(emails, kept, WRITERS)
    for _ in range(plan.rounds):
        results.limits[Limit.HASH].add(await limits.hashes(results.chosen.library, plan.hashes))
        results.operations[Operation.LOGIN].add(await measure(server, users, plan.hashes, 200))
    return kept


async def _reads(plan: Plan, server: Server, known: list[Tokens], results: Results) -> None:
    requests = {path: [scripts.look(path, tokens) for tokens in known] for path in (ME, VERIFY)}
    rows = (
        (Operation.ME, Limit.BARE_ME, ME, 200),
        (Operation.VERIFY, Limit.BARE_VERIFY, VERIFY, 204),
    )
    async with _bare(server, known[0]) as bare:
        for timed in (False, *[True] * plan.rounds):
            for operation, limit, path, status in rows:
                seconds = plan.reads if timed else WARM_UP_SECONDS
                for where, noted in ((bare, results.limits[limit]), (server, results.operations[operation])):
                    users = scripts.again_and_again(requests[path], READERS)
                    found = await measure(where, users, seconds, status)
                    if timed:
                        noted.add(found)


@asynccontextmanager
async def _bare(server: Server, tokens: Tokens) -> AsyncIterator[Server]:
    """Yield an application that does nothing but send the same bytes as `server`."""
    answers = {}
    async with Asker(server.port) as asker:
        for path in (ME, VERIFY):
            # The second answer is the one that is given from memory.
            await asker.ask(scripts.look(path, tokens))
            answer = await asker.ask(scripts.look(path, tokens))
            headers = [pair for pair in answer.headers if pair[0] not in _FROM_SERVER]
            answers[path] = (answer.status, headers, answer.body.decode())
    environment = {"BENCH_ANSWERS": json.dumps(answers)}
    async with granian("measure.speed.bare:application", "asginl", environment, ME) as bare:
        yield bare


async def _flood(
    plan: Plan, server: Server, elsewhere: Server, emails: list[str], looker: Tokens, results: Results
) -> None:
    """Measure the reads of one virtual user: alone, while a crowd signs in, and while it signs in at
    another process.
    """
    looking = scripts.again_and_again([scripts.look(ME, looker)], 1)
    for _ in range(plan.rounds):
        results.calm.add(await measure(server, looking, plan.reads, 200))
        for crowded, found in ((server, results.flooded), (elsewhere, results.flooded_elsewhere)):
            crowd = asyncio.create_task(measure(crowded, scripts.signing_in(emails, [], FLOOD), plan.reads + 1, 200))
            await asyncio.sleep(WARM_UP_SECONDS)
            found.add(await measure(server, looking, plan.reads, 200))
            await crowd


async def _refreshes(plan: Plan, server: Server, tokens: list[Tokens], limits: Limits, results: Results) -> None:
    users = scripts.refreshing(tokens)
    for _ in range(plan.rounds):
        for limit, algorithm in zip((Limit.SIGNATURE, Limit.REFRESH_SIGNATURE), results.algorithms, strict=True):
            results.limits[limit].add(await limits.signatures(algorithm, plan.limits / 2))
        results.operations[Operation.REFRESH].add(await measure(server, users, plan.refreshes, 200))


async def _registrations(plan: Plan, server: Server, folder: Path, results: Results) -> None:
    """Measure registrations with their letters: the CPU counts until the last letter is in the folder."""
    await _all_sent(folder, _PEOPLE)
    before = server.cpu_seconds()
    found = await measure(server, scripts.registering(WRITERS), plan.hashes, 201)
    await _all_sent(folder, _PEOPLE + found.count)
    found.cpu_seconds = server.cpu_seconds() - before
    results.operations[Operation.REGISTER].add(found)


async def _all_sent(folder: Path, letters: int) -> None:
    mail = folder / "vestibule-data" / "mail"
    async with asyncio.timeout(60):
        while sum(1 for _ in mail.glob("*.eml")) < letters:  # noqa: ASYNC110  # another process writes them
            await asyncio.sleep(0.02)


async def _first_sights(
    plan: Plan, server: Server, tokens: list[Tokens], database: str, limits: Limits, results: Results
) -> None:
    """Measure the first read with each token at this server, and then its sign-out."""
    for limit, found in (
        (Limit.CHECK, await limits.checks(results.algorithms[0], plan.limits)),
        (Limit.SELECT, await selects(database, plan.limits)),
    ):
        results.limits[limit].add(found)
    # The first quarter is not counted: the server has just started, and is not warm.
    warming, measured = tokens[: len(tokens) // 4], tokens[len(tokens) // 4 :]
    for held, noted in ((warming, False), (measured, True)):
        looks = scripts.sharing((scripts.look(ME, tokens) for tokens in held), WRITERS)
        leaves = scripts.sharing((scripts.sign_out(tokens) for tokens in held), WRITERS)
        for operation, users in ((Operation.ME_MISS, looks), (Operation.LOGOUT, leaves)):
            done = await measure(server, users, 600, 200)
            if noted:
                results.operations[operation].add(done)
