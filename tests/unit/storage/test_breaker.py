"""The breaker: while the database is out of reach, one in a while tries, and the others do not wait."""

import errno
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


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), TimeoutError(), BrokenPipeError()])
@pytest.mark.parametrize("way", ["transaction", "reading"])
async def test_a_fault_of_the_caller_s_own_block_is_no_outage(backend: Backend, way: str, fault: OSError) -> None:
    """Neither translated, nor held against the database: the next caller asks it at once."""
    engines = engine.connect(backend.database_url)
    with pytest.raises(type(fault)) as raised:
        await ask_and_raise(engines, way, fault)
    assert raised.value is fault
    assert engines.breaker.lets_through()
    assert not engines.breaker.why
    async with engines.reading() as connection:
        await connection.control("SELECT 1")
    await engines.close()


async def ask_and_raise(engines: engine.Engines, way: str, fault: OSError) -> None:
    async with getattr(engines, way)() as connection:
        await connection.control("SELECT 1")
        raise fault


async def test_a_statement_that_is_not_answered_in_time_is_an_outage(postgresql: Backend) -> None:
    """As before: what the driver raises in a block is the database's fault."""
    engines = engine.connect(
        postgresql.database_url, timeouts=DatabaseTimeouts(for_statement=0)
    )  # 0: the server sets no limit, the driver half a second
    with pytest.raises(StoreUnavailable):
        async with engines.reading() as connection:
            await connection.control("SELECT pg_sleep(20)")
    assert engines.breaker.why
    await engines.close()
