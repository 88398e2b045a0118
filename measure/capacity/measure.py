"""Measure what each operation costs on a database of some size."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import psutil

from measure import scripts
from measure.capacity.operators import measure_operators
from measure.capacity.people import People
from measure.load import Measured, measure, percentile
from measure.postgres import Postgres
from measure.scripts import ME
from measure.server import Server, vestibule
from measure.speed.loaded_start import measure_start
from measure.speed.results import LoadedStart
from measure.wire import Asker, request
from tests.harness.process import UNLIMITED, given_keys

_VIRTUAL_USERS = 4
_SIGN_IN_SECONDS = 8.0
_MOST = 250  # sessions for each of reading, refreshing and signing out; a database of 10,000 accounts has 1,000
_LOOKS_SECONDS = 3.0
_LARGE = 1_000  # rows; PostgreSQL rightly reads a smaller table as a whole


@dataclass
class Row:
    """One operation at one size: milliseconds that a client waits, and microseconds of CPU that each request costs."""

    p50: float
    p99: float
    server_cpu: float | None = None
    database_cpu: float | None = None


@dataclass
class Size:
    """All that was measured with one number of accounts. `whole_reads`: how often each large table was read
    as a whole.
    """

    accounts: int
    sessions: int
    revocations: int
    gigabytes: float
    rows: dict[str, Row] = field(default_factory=dict)
    start_seconds: float = 0.0
    start: LoadedStart | None = None
    """The start of a second process, beside the first."""
    worker_megabytes: float = 0.0
    whole_reads: dict[str, int] = field(default_factory=dict)


async def measure_size(postgres: Postgres, people: People, folder: Path) -> Size:
    """Measure one server on the database, then the start of a second one, and how soon a sign-out reaches it."""
    settings = {
        "NODE_ENV": "production",
        "VESTIBULE_URL": "http://localhost:8000",
        "DATABASE_URL": postgres.address(),
        **given_keys(),
        **UNLIMITED,
    }
    found = await _counted(postgres, people.accounts)
    before = await _scans(postgres, at_least=0)
    begun = perf_counter()
    async with vestibule(folder, settings) as home:
        found.start_seconds = perf_counter() - begun
        for name, step in _steps(home, people):
            found.rows[name] = await _costed(postgres, step)
        found.worker_megabytes, _ = home.megabytes()
        found.start = await measure_start(home, folder, settings, people.tokens(_MOST))
        found.rows["log-out, until the other process refuses"] = Row(*_times(found.start.delays))
    for name, seconds in (await measure_operators(postgres, people)).items():
        found.rows[name] = Row(*_times(seconds))
    after = await _scans(postgres)
    found.whole_reads = {name: after[name] - before.get(name, 0) for name in after if after[name] > before.get(name, 0)}
    return found


Step = Callable[[], Coroutine[Any, Any, Measured]]


def _steps(server: Server, people: People) -> list[tuple[str, Step]]:
    looked, known = people.tokens(_MOST), people.tokens(_VIRTUAL_USERS * 10)
    looks = [scripts.look(ME, held) for held in known]
    refreshes = [
        request("POST", "/api/auth/refresh", cookie=f"refresh_token={held.refresh}") for held in people.tokens(_MOST)
    ]

    async def known_looks() -> Measured:
        async with Asker(server.port) as asker:
            for look in looks:
                await asker.ask(look, expected=200)
        return await measure(server, scripts.again_and_again(looks, _VIRTUAL_USERS), _LOOKS_SECONDS, 200)

    first = (scripts.look(ME, held) for held in looked)
    return [
        ("sign-in", lambda: measure(server, scripts.sharing(people.sign_ins(), _VIRTUAL_USERS), _SIGN_IN_SECONDS, 200)),
        ("refresh", lambda: measure(server, scripts.sharing(iter(refreshes), _VIRTUAL_USERS), 600, 200)),
        ("me, token never seen", lambda: measure(server, scripts.sharing(first, _VIRTUAL_USERS), 600, 200)),
        ("me, token known", known_looks),
    ]


async def _costed(postgres: Postgres, step: Step) -> Row:
    before = _database_cpu(postgres)
    found = await step()
    database = (_database_cpu(postgres) - before) / found.count * 1e6
    return Row(*_times(found.latencies), found.cpu, database)


def _times(seconds: list[float]) -> tuple[float, float]:
    return percentile(seconds, 50) * 1e3, percentile(seconds, 99) * 1e3


def _database_cpu(postgres: Postgres) -> float:
    """Return the seconds of CPU that the database's processes have used. A process that ended no longer counts, but
    those of a pool's connections stay.
    """
    main = int((postgres.folder / "postmaster.pid").read_text().split()[0])
    family = [psutil.Process(main), *psutil.Process(main).children()]
    return sum(process.cpu_times().user + process.cpu_times().system for process in family)


async def _counted(postgres: Postgres, accounts: int) -> Size:
    (row,) = await postgres.ask(
        "SELECT (SELECT count(*) FROM sessions WHERE ended_at IS NULL AND idle_expires_at > now()),"
        " (SELECT count(*) FROM revocations), pg_database_size(current_database()) / 1e9"
    )
    return Size(accounts, row[0], row[1], float(row[2]))


async def _scans(postgres: Postgres, at_least: int = _LARGE) -> dict[str, int]:
    """Return how often each table of `at_least` rows was read as a whole so far, once PostgreSQL has counted the last
    reads.
    """
    connection: asyncpg.Connection = await postgres.connect()
    try:
        await asyncio.sleep(1)  # a session reports what it did at most once a second
        rows = await connection.fetch(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE n_live_tup >= $1 ORDER BY relname", at_least
        )
        return {row["relname"]: row["seq_scan"] for row in rows}
    finally:
        await connection.close()
