"""The breaker: while the database is out of reach, one in a while tries, and the others do not wait."""

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from vestibule.storage.sql import engine
from vestibule.storage.sql.breaker import RETRY_SECONDS, Breaker
from vestibule.storage.sql.timeouts import Timeouts


def test_everybody_asks_a_database_that_can_be_reached() -> None:
    breaker = Breaker(ManualClock().monotonic)
    assert all(breaker.lets_through() for _ in range(3))


def test_one_in_a_while_tries_a_database_that_cannot() -> None:
    clock = ManualClock()
    breaker = Breaker(clock.monotonic)
    breaker.unreachable()
    assert not breaker.lets_through()
    clock.advance(seconds=RETRY_SECONDS)
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    clock.advance(seconds=RETRY_SECONDS)
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]


def test_one_success_lets_everybody_in_again() -> None:
    clock = ManualClock()
    breaker = Breaker(clock.monotonic)
    breaker.unreachable()
    clock.advance(seconds=RETRY_SECONDS)
    assert breaker.lets_through()
    breaker.reached()
    assert all(breaker.lets_through() for _ in range(3))


async def test_a_busy_pool_is_no_database_out_of_reach(postgresql: Backend) -> None:
    engines = engine.connect(postgresql.database_url, 1, Timeouts(for_connection=0.05))
    async with engines.sqlalchemy_reading():
        try:
            async with engines.sqlalchemy_reading():
                raise AssertionError("there is one connection")
        except engine.StoreUnavailable:
            assert engines.breaker.lets_through()
            assert engines.breaker.lets_through()
    await engines.close()
