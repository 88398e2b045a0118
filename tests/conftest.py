"""Fixtures that every test may ask for, and the rule about what cannot be tested here."""

import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from tests.harness import backends, servers
from tests.harness.backends import Backend
from tests.harness.rounds import WHOLE
from tests.harness.run import pytest_configure, pytest_unconfigure
from tests.harness.world import World, world_on
from vestibule.storage.sql.timeouts import DatabaseTimeouts

__all__ = ["pytest_configure", "pytest_unconfigure"]  # what a run starts ends with it

# Workers more than cores. Faults, time-outs and other servers are waited for, and that costs nothing: with one more, a
# worker computed for less than half of its time.
_WAITING = 2

# How long an example takes depends on what else the machine does. One that fails is printed, to be run again.
hypothesis.settings.register_profile(
    "here", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("here")

# As in production: one line, and no local variables in it.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])

# Collecting thousands of tests makes little garbage: searching for it was a third of what collecting costs each worker.
gc.disable()


def pytest_xdist_auto_num_workers() -> int:
    """Return for how many workers `-n auto` stands."""
    return len(os.sched_getaffinity(0)) + _WAITING if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what is marked `any_engine` run on SQLite alone: no more is told by PostgreSQL, at three times the CPU."""
    items[:] = [item for item in items if WHOLE or not _dear(item)]


def _dear(item: pytest.Item) -> bool:
    chosen = (
        item.callspec.params.get("backend") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    )
    return chosen == backends.POSTGRESQL and item.get_closest_marker("any_engine") is not None


def pytest_collection_finish() -> None:
    """Take what was imported and collected out of every later search for garbage; and search seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


@pytest.fixture(params=backends.ALL)
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """An empty database: the test runs once on SQLite, and once on PostgreSQL with Redis."""
    try:
        async with backends.fresh(request.param, tmp_path) as made:
            yield made
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


@pytest.fixture
async def postgresql(tmp_path: Path) -> AsyncIterator[Backend]:
    """PostgreSQL alone, for races: SQLite runs one transaction at a time and hides them."""
    try:
        async with backends.fresh(backends.POSTGRESQL, tmp_path) as made:
            yield made
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    """A Vestibule, on each backend."""
    async with world_on(backend) as made:
        yield made


@pytest.fixture
async def racing_world(postgresql: Backend) -> AsyncIterator[World]:
    """A Vestibule on PostgreSQL, for races: sixteen racers at once in the database, and time for all of them.

    What a busy machine answers when its patience is at an end is tested elsewhere; here it would hide the race.
    """
    async with world_on(postgresql, pool_size=16, timeouts=DatabaseTimeouts(60, 60, 60, 60)) as made:
        yield made


def not_to_be_had(reason: Exception) -> None:
    """Skip, aloud; in CI, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"not tested: {reason}")
    pytest.skip(f"NOT TESTED: {reason}")
