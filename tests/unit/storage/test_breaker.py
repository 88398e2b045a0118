"""The breaker: while the database is out of reach, one in a while tries, and the others do not wait."""

from dataclasses import replace

import pytest

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.servers import free_port
from vestibule.model.errors import StoreUnavailable
from vestibule.storage.sql import engine
from vestibule.storage.sql.breaker import RETRY_SECONDS, Breaker
from vestibule.storage.sql.timeouts import DatabaseTimeouts


def test_everybody_asks_a_database_that_can_be_reached() -> None:
    breaker = Breaker(ManualClock().monotonic)
    assert all(breaker.lets_through() for _ in range(3))


def test_one_in_a_while_tries_a_database_that_cannot() -> None:
    clock = ManualClock()
    breaker = Breaker(clock.monotonic)
    breaker.unreachable("refused")
    assert not breaker.lets_through()
    clock.advance(seconds=RETRY_SECONDS)
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    clock.advance(seconds=RETRY_SECONDS)
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]


def test_one_success_lets_everybody_in_again() -> None:
    clock = ManualClock()
    breaker = Breaker(clock.monotonic)
    breaker.unreachable("refused")
    clock.advance(seconds=RETRY_SECONDS)
    assert breaker.lets_through()
    breaker.reached()
    assert all(breaker.lets_through() for _ in range(3))


async def test_a_busy_pool_is_no_database_out_of_reach(postgresql: Backend) -> None:
    engines = engine.connect(postgresql.database_url, 1, DatabaseTimeouts(for_connection=0.05))
    async with engines.sqlalchemy_reading():
        try:
            async with engines.sqlalchemy_reading():
                raise AssertionError("there is one connection")
        except engine.StoreUnavailable:
            assert engines.breaker.lets_through()
            assert engines.breaker.lets_through()
    await engines.close()


async def test_who_fails_at_once_is_told_why_like_who_tried() -> None:
    """Otherwise the log says only that somebody else failed a moment ago."""
    engines = replace(
        engine.connect(f"postgresql://nobody@127.0.0.1:{free_port()}/vestibule"),
        breaker=Breaker(ManualClock().monotonic),
    )
    told = list[str]()
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as fault:
            async with engines.transaction():
                pass
        told.append(str(fault.value))
    await engines.close()
    assert told == ["Connection refused"] * 2
