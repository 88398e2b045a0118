"""What runs beside the requests goes on after a fault that nobody foresaw, and the log has it."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from structlog.testing import capture_logs

from vestibule.observability.metrics import sampling
from vestibule.web import connections
from vestibule.web.connections import Bounds
from vestibule.web.in_flight import InFlight


async def test_looking_at_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is left to list the open files by, at the very moment when there are too many."""
    looks, twice = 0, asyncio.Event()

    def shed(*_: Any) -> Counter[str]:
        nonlocal looks
        looks += 1
        if looks < 3:
            raise OSError(24, "Too many open files")
        loop.call_soon_threadsafe(twice.set)
        return Counter()

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(connections, "shed", shed)
    monkeypatch.setattr(connections, "_LOOK_SECONDS", 0)
    bounds = Bounds(port=1, most=1)
    with capture_logs() as lines:
        async with asyncio.timeout(60), connections.shedding(bounds, InFlight()):
            await twice.wait()
    assert [line["event"] for line in lines] == ["connections_not_looked_at"]


async def test_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = asyncio.Event()

    class Samples:
        taken = 0

        def sample(self) -> None:
            self.taken += 1
            if self.taken == 1:
                raise ZeroDivisionError
            twice.set()

        async def sample_outbox(self) -> None:
            pass

    monkeypatch.setattr(sampling, "_AFTER_FAILURE_SECONDS", 0)
    monkeypatch.setattr(sampling, "_EVERY_SECONDS", 0)
    with capture_logs() as lines:
        looking = asyncio.create_task(sampling._sample_forever(Samples()))  # type: ignore[arg-type]
        async with asyncio.timeout(60):
            await twice.wait()
        looking.cancel()
    assert [line["event"] for line in lines] == ["metrics_not_sampled"]
