"""List the steps of a run. Each has a database and a folder of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from measure.speed.beside import measure_contenders
from measure.speed.footprint import measure_footprint
from measure.speed.idle_connections import measure_idle_connections
from measure.speed.loaded_start import measure_loaded_starts
from measure.speed.plan import Plan
from measure.speed.results import Push, Results
from measure.speed.revocation import measure_delays
from measure.speed.second_factors import measure_second_factors
from measure.speed.services.rounds import measure_services
from measure.speed.vestibule_alone import measure_vestibule
from tests.harness.backends import POSTGRESQL, SECRET, SQLITE, Backend, fresh
from tests.harness.process import UNLIMITED

_START = 3  # seconds that a server, or a pair of them, takes to come and go
_SIGN_INS = 30  # a second, roughly: only the progress bar relies on these
_PASSKEYS = 100  # a second, with their questions
_CONNECTIONS = 300

COMMON = {
    "NODE_ENV": "production",
    "VESTIBULE_URL": "http://localhost:8000",
    "VESTIBULE_SECRET_KEY": SECRET,
    **UNLIMITED,
}
"""Settings of every server that is measured."""


@dataclass(frozen=True)
class Step:
    """One part of the run. It takes about `seconds`."""

    name: str
    seconds: float
    run: Callable[[], Awaitable[None]]


def steps(plan: Plan, results: Results, folder: Path) -> list[Step]:
    """Return all steps, in order. Each adds what it finds to `results`."""
    return [
        Step("One server", _seconds_alone(plan), lambda: _alone(plan, results, folder)),
        Step("Second factors", _seconds_factors(plan), lambda: _factors(plan, results, folder)),
        Step("Beside the others", _seconds_beside(plan), lambda: _beside(plan, results, folder)),
        Step("Idle connections", plan.connections / _CONNECTIONS + 2 * _START, lambda: _idle(plan, results, folder)),
        Step("Starts beside revocations", plan.loaded_starts * 10 + 10, lambda: _loaded(plan, results, folder)),
        Step("Services behind it", plan.services * 15 + 20, lambda: _services(plan, results, folder)),
        *(_delay_step(plan, results, folder, push) for push in Push),
        *(_footprint_step(plan, results, folder, kind) for kind in (SQLITE, POSTGRESQL)),
    ]


def _seconds_alone(plan: Plan) -> float:
    each_round = 2 * plan.hashes + 4 * plan.reads + plan.refreshes + plan.limits + 2 * plan.reads + 1
    return plan.rounds * each_round + 2 * plan.hashes + 2 * plan.limits + 5 * _START


async def _alone(plan: Plan, results: Results, folder: Path) -> None:
    async with fresh(POSTGRESQL, folder) as backend:
        await measure_vestibule(plan, _subfolder(folder, "alone"), settings_of(backend), results)


def _seconds_factors(plan: Plan) -> float:
    return 40 + plan.rounds * (plan.limits + plan.passkeys / _PASSKEYS) + plan.passkeys / _PASSKEYS


async def _factors(plan: Plan, results: Results, folder: Path) -> None:
    async with fresh(POSTGRESQL, folder) as backend:
        await measure_second_factors(plan, _subfolder(folder, "factors"), settings_of(backend), results)


def _seconds_beside(plan: Plan) -> float:
    return 3 * (2 * plan.rounds * plan.others + plan.limits + 3 * _START)


async def _beside(plan: Plan, results: Results, folder: Path) -> None:
    await measure_contenders(plan, _subfolder(folder, "beside"), COMMON, results)


async def _idle(plan: Plan, results: Results, folder: Path) -> None:
    async with fresh(POSTGRESQL, folder) as backend:
        place = _subfolder(folder, "idle-connections")
        results.idle = await measure_idle_connections(plan, place, settings_of(backend))


async def _loaded(plan: Plan, results: Results, folder: Path) -> None:
    results.revocations = plan.revocations
    async with fresh(POSTGRESQL, folder) as backend:
        place = _subfolder(folder, "loaded-starts")
        results.loaded_starts = await measure_loaded_starts(plan, place, settings_of(backend))


async def _services(plan: Plan, results: Results, folder: Path) -> None:
    async with fresh(POSTGRESQL, folder) as backend:
        await measure_services(plan, _subfolder(folder, "services"), settings_of(backend), results)


def _delay_step(plan: Plan, results: Results, folder: Path, push: Push) -> Step:
    async def run() -> None:
        kind = SQLITE if push is Push.NONE else POSTGRESQL
        async with fresh(kind, folder) as backend:
            redis = {"REDIS_URL": backend.redis_url or ""} if push is Push.REDIS else {}
            settings = settings_of(backend) | redis
            results.delays[push] = await measure_delays(plan, push, _subfolder(folder, push.name), settings)

    return Step(f"Log-out, {push}", 2 * plan.trials / _SIGN_INS + _START, run)


def _footprint_step(plan: Plan, results: Results, folder: Path, kind: str) -> Step:
    async def run() -> None:
        async with fresh(kind, folder) as backend:
            found = await measure_footprint(plan, _subfolder(folder, f"idle-{kind}"), settings_of(backend))
            results.footprints[kind] = found

    return Step(f"Idle on {kind}", plan.starts * _START + plan.idle, run)


def settings_of(backend: Backend) -> dict[str, str]:
    """Return the settings of production, without the limits for one network address, from which all load comes."""
    return COMMON | {"DATABASE_URL": backend.database_url}


def _subfolder(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made
