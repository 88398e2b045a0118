"""Hashing for the flows: off the event loop, bounded, and the same work whether or not there is anybody."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import CHEAP
from vestibule.crypto.passwords import Hasher
from vestibule.model.errors import Overloaded
from vestibule.model.passwords import PasswordRules
from vestibule.process.niced_threads import NicedThreads
from vestibule.state.passwords import Passwords


@pytest.fixture
async def threads() -> AsyncIterator[NicedThreads]:
    made = NicedThreads(threads=1, waiting=1)
    yield made
    await asyncio.to_thread(made.close)


@pytest.fixture
def passwords(threads: NicedThreads) -> Passwords:
    return Passwords(Hasher(CHEAP), threads)


def test_the_rules_are_the_contract_s_with_the_longer_maximum() -> None:
    assert PasswordRules() == PasswordRules(min_length=8, max_length=128, max_bytes=1024)


async def test_a_password_matches_its_own_hash_alone(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert await passwords.match("correct horse", stored)
    assert not await passwords.match("correct horsf", stored)
    assert not passwords.outdated(stored)
    assert passwords.outdated("$2b$12$" + "x" * 53)


async def test_without_a_stored_hash_nothing_matches(passwords: Passwords) -> None:
    for stored in (None, ""):
        assert not await passwords.match("correct horse", stored)
        assert not await passwords.match("", stored)


async def test_not_even_the_password_behind_the_decoy_matches_nobody(threads: NicedThreads) -> None:
    hasher = Hasher(CHEAP)
    hasher.decoy = hasher.hash("correct horse")
    passwords = Passwords(hasher, threads)
    assert await passwords.match("correct horse", hasher.decoy) is True
    assert await passwords.match("correct horse", None) is False


async def test_more_than_may_wait_is_overloaded_at_once(threads: NicedThreads, passwords: Passwords) -> None:
    """P12: more than may wait is overloaded at once."""
    gate = threading.Event()
    busy = [asyncio.create_task(threads.run(gate.wait, WAIT_SECONDS)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await passwords.hash("correct horse")
    with pytest.raises(Overloaded):
        await passwords.match("correct horse", None)
    gate.set()
    assert await asyncio.gather(*busy) == [True, True]


@asynccontextmanager
async def all_admitted(passwords: Passwords, number: int) -> AsyncIterator[None]:
    """`number` requests that keep their slots while the block lasts."""
    leaving = asyncio.Event()

    async def sit() -> None:
        async with passwords.admission_slot():
            await leaving.wait()

    sitting = [asyncio.create_task(sit()) for _ in range(number)]
    await asyncio.sleep(0)
    yield
    leaving.set()
    await asyncio.gather(*sitting)


async def test_there_are_as_many_slots_as_hashes_may_run_and_wait(threads: NicedThreads, passwords: Passwords) -> None:
    for _ in range(2):
        async with all_admitted(passwords, 2):
            with pytest.raises(Overloaded):
                async with passwords.admission_slot():
                    pytest.fail("a third one, where one may run and one wait")
    assert threads.refused == 2
    assert passwords.admitted == 0


async def test_few_are_under_way_at_once_and_the_rest_wait_their_turn() -> None:
    under_way = most = done = 0
    passwords = Passwords(Hasher(CHEAP), NicedThreads(threads=1, waiting=30))

    async def one() -> None:
        nonlocal under_way, most, done
        async with passwords.admission_slot():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.001)
            under_way -= 1
            done += 1

    await asyncio.gather(*(one() for _ in range(31)))
    assert (most, done) == (5, 31)
    assert passwords.threads.waited_seconds > 0
    passwords.threads.close()


async def test_a_slot_is_given_back_whatever_happens_in_it(passwords: Passwords) -> None:
    for _ in range(10):
        with pytest.raises(ZeroDivisionError):
            async with passwords.admission_slot():
                raise ZeroDivisionError
    assert passwords.admitted == 0
