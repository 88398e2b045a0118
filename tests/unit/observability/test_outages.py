"""A night without the database: each job says so once a minute, without a traceback, and says when it is over."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.harness.backends import SQLITE, fresh
from tests.harness.clock import ManualClock
from tests.harness.world import World, world_on
from tests.stories.keys.test_refresh_keys import TODAY
from vestibule.model.errors import Fault, StoreUnavailable
from vestibule.storage.outage import Outage
from vestibule.storage.sql import wake_ups
from vestibule.storage.sql.wake_ups import PostgresqlWakeUps
from vestibule.wiring import background

TRIES = 5
JOBS: dict[str, Callable[[World], Coroutine[Any, Any, None]]] = {
    "follow_revocations": lambda world: background.follow_revocations(world.env, asyncio.Event()),
    "follow_keys": lambda world: background.follow_keys(world.env),
    "clean_up": lambda world: background.clean_up_repeatedly(world.env, every=0),
    "deliver_letters": lambda world: background.deliver_letters(world.env, asyncio.Event()),
}


@dataclass
class Watched:
    """Sees each job's outages pass by."""

    failures: int = 0
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    recovered: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(background, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(wake_ups, "_PAUSE_SECONDS", 0.0)
    seen, note, end = Watched(), Outage.note, Outage.end

    def noted(outage: Outage, fault: Fault) -> None:
        note(outage, fault)
        seen.failures += 1
        if seen.failures == TRIES:
            seen.failed.set()

    def ended(outage: Outage) -> None:
        end(outage)
        if seen.failed.is_set():
            seen.recovered.set()

    monkeypatch.setattr(Outage, "note", noted)
    monkeypatch.setattr(Outage, "end", ended)
    return seen


@pytest.mark.parametrize("job", JOBS)
async def test_each_job_says_that_the_database_is_away_and_that_it_is_back(
    job: str, watched: Watched, tmp_path: Path
) -> None:
    async with fresh(SQLITE, tmp_path) as backend, world_on(backend, key_manager=TODAY) as world:
        file = Path(backend.database_url.removeprefix("sqlite:///"))
        await world.take_database_away()
        with capture_logs() as lines:
            working = asyncio.create_task(JOBS[job](world))
            async with asyncio.timeout(60):
                await watched.failed.wait()
                put_back(file)
                await watched.recovered.wait()
            working.cancel()
    said = [line for line in lines if line["log_level"] != "info"]
    assert [(line["event"], line["job"]) for line in said] == [
        ("database_unavailable", job),
        ("database_available_again", job),
    ]
    assert str(file) in said[0]["why"]
    assert not any("exc_info" in line for line in lines)


async def test_who_listens_says_so_too(racing_world: World, watched: Watched) -> None:
    await racing_world.take_database_away()
    listening = PostgresqlWakeUps(racing_world.engines).listen()
    with capture_logs() as lines:
        working = asyncio.ensure_future(anext(listening))
        async with asyncio.timeout(60):
            await watched.failed.wait()
        working.cancel()
    assert [(line["event"], line["job"]) for line in lines] == [("database_unavailable", "listen_for_wake_ups")]
    assert lines[0]["database"] == racing_world.engines.server


def put_back(file: Path) -> None:
    file.rmdir()
    file.with_suffix(".away").rename(file)


def refused() -> StoreUnavailable:
    return StoreUnavailable("Connection refused", server="localhost:5432")


def test_a_line_a_minute_with_the_reason() -> None:
    clock = ManualClock()
    outage = Outage("follow_keys", clock)
    with capture_logs() as lines:
        outage.note(refused())
        for _ in range(4 * 61):
            clock.advance(seconds=0.25)
            outage.note(refused())
        outage.end()
        outage.end()
    assert [(line["event"], line["seconds"]) for line in lines] == [
        ("database_unavailable", 0),
        ("database_unavailable", 60),
        ("database_available_again", 61),
    ]
    assert (lines[0]["why"], lines[0]["database"]) == ("Connection refused", "localhost:5432")


def test_one_that_comes_and_goes_each_second_is_two_lines_a_minute() -> None:
    clock = ManualClock()
    outage = Outage("follow_keys", clock)
    with capture_logs() as lines:
        for _ in range(59):
            outage.note(refused())
            clock.advance(seconds=1)
            outage.end()
    assert [line["event"] for line in lines] == ["database_unavailable", "database_available_again"]
