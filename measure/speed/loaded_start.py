"""Measure starts of a process while the record holds many revocations: for how long the event loop is held, and how
soon sign-outs at another process are refused.
"""

import asyncio
import json
from pathlib import Path
from time import perf_counter

import asyncpg

from measure import scripts
from measure.load import measure
from measure.scripts import ME, Tokens
from measure.server import HEALTH, ROOT, SERVER_PYTHON, Ended, Server, answering, starting_vestibule, vestibule
from measure.speed.plan import WRITERS, Plan
from measure.speed.results import LoadedStart, Push
from measure.speed.revocation import lane
from measure.wire import Asker

_EMAIL = "ada@example.com"
_WATCHED = (SERVER_PYTHON, "-m", "measure.speed.watched")
_WATCH_SECONDS = 6.0
_END_SECONDS = 30.0
_TRIALS = 10
"""Sign-outs after each start. One more comes before it."""
_LOOK_AGAIN_SECONDS = 0.05
_REVOCATIONS = """INSERT INTO revocations (at, kind, subject, purge_at)
    SELECT now(), 'session', md5('over' || n)::uuid::text, now() + interval '1 hour'
    FROM generate_series(1, $1::bigint) AS n"""


async def measure_loaded_starts(plan: Plan, folder: Path, settings: dict[str, str]) -> list[LoadedStart]:
    """Run one server all the time, start another beside it again and again, and return what each start took."""
    await record_revocations(settings["DATABASE_URL"], plan.revocations)
    async with vestibule(folder, settings) as home:
        tokens = await signed_in(home, plan.loaded_starts * (_TRIALS + 1))
        return [
            await measure_start(home, folder, settings, [tokens.pop() for _ in range(_TRIALS + 1)])
            for _ in range(plan.loaded_starts)
        ]


async def record_revocations(database_url: str, many: int) -> None:
    """Add `many` revocations to the record, of sessions that were signed out a moment ago."""
    database = await asyncpg.connect(database_url)
    await database.execute(_REVOCATIONS, many)
    await database.close()


async def measure_start(home: Server, folder: Path, settings: dict[str, str], tokens: list[Tokens]) -> LoadedStart:
    """Start a server beside `home`, and return what the start took. The first of `tokens` is signed out before the
    start, the others once the new server answers.
    """
    watch = folder / "watch.json"
    watch.unlink(missing_ok=True)
    watched = {"PYTHONPATH": str(ROOT), "BENCH_WATCH": str(watch), "BENCH_WATCH_SECONDS": str(_WATCH_SECONDS)}
    async with Asker(home.port) as asker:
        await asker.ask(scripts.sign_out(tokens[0]), expected=200)
    begun = perf_counter()
    with starting_vestibule(folder, settings | watched, _WATCHED) as running:
        await answering(running.port, HEALTH, running.process)
        first_answer = perf_counter() - begun
        async with Asker(running.port) as asker:
            await asker.ask(scripts.look(ME, tokens[0]), expected=401)
        delays = await lane(Push.NOTIFY, home.port, running.port, iter(enumerate(tokens[1:])))
        held, held_cpu = await _found(watch)
    return LoadedStart(first_answer, held, held_cpu, delays)


async def _found(watch: Path) -> list[float]:
    try:
        async with asyncio.timeout(_WATCH_SECONDS + _END_SECONDS):
            while not watch.exists():  # noqa: ASYNC110, ASYNC240  # another process writes it
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    except TimeoutError:
        raise Ended("the server that is watched wrote nothing") from None
    return list(json.loads(await asyncio.to_thread(watch.read_text)))


async def signed_in(home: Server, many: int) -> list[Tokens]:
    """Return the tokens of `many` sessions of one person, who is registered here."""
    async with Asker(home.port) as asker:
        await asker.ask(scripts.registration(_EMAIL), expected=201)
    kept: list[Tokens] = []
    await measure(home, scripts.signing_in([_EMAIL], kept, WRITERS, most=many), 600, 200)
    return kept
