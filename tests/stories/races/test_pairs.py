"""Every two flows that write about one account, fired together: neither meets a deadlock, nor anything unforeseen.

`make races` fires each pair a hundred times.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from tests.harness import servers
from tests.harness.rounds import rounds
from tests.harness.world import World
from tests.stories.races.contenders import APART, CONTENDERS, WITHIN, Act, of_neighbour
from tests.stories.races.people import Person, people
from vestibule import flows
from vestibule.model.errors import Refusal

TIMES = rounds(100, suite=1)
AT_ONCE = 8
_ENDED = ("deadlock", "could not serialize", "FATAL:", "PANIC:")
# One who takes an email, and one who has it.
_TAKING = ("undo", "confirm a new email")
_ROOM = Path(flows.__file__).parent


@dataclass(frozen=True)
class Pair:
    """Two flows, and what they are called."""

    name: str
    acts: tuple[Act, Act]


def pairs() -> Iterator[Pair]:
    """Each two flows on one account; and taking an email beside everything its squatter does."""
    for one, other in combinations_with_replacement(CONTENDERS, 2):
        yield Pair(f"{one} and {other}", (CONTENDERS[one][1], CONTENDERS[other][1]))
    for one in _TAKING:
        for other, (_, act) in CONTENDERS.items():
            yield Pair(f"{one} and a squatter's {other}", (CONTENDERS[one][1], of_neighbour(act)))


async def test_d2_no_two_flows_on_one_account_deadlock(racing_world: World) -> None:
    """D2: nor is either answered with anything but what it does, or a refusal."""
    rounds = [pair for _ in range(TIMES) for pair in pairs()]
    everybody = await people(racing_world, [number % 3 == 0 for number in range(len(rounds))])
    unforeseen: Counter[str] = Counter()
    for start in range(0, len(rounds), AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, len(rounds)))
        with capture_logs() as said:
            found = await asyncio.gather(*(_fire(racing_world, rounds[n], everybody[n], n) for n in numbers))
        unforeseen.update(line for lines in found for line in lines)
        together = "; ".join(rounds[number].name for number in numbers)
        ended = [line for line in said if line["event"] == "transaction_conflict"]
        unforeseen.update(f"{line['step']}: {line['why']}, among {together}" for line in ended)
    assert unforeseen == {}
    said = await _said_of_this_database(racing_world)
    assert [line for line in said if any(word in line for word in _ENDED)] == []


async def _said_of_this_database(world: World) -> list[str]:
    """PostgreSQL's log, if it is ours to read; that it is read is shown by a fault of our own making."""
    with pytest.raises(DBAPIError):
        async with world.engines.sqlalchemy_transaction() as connection:
            await connection.execute(text("SELECT 1/0"))
    said = servers.postgresql_said(world.backend.database_url.rpartition("/")[2])
    assert said is None or any("division by zero" in line for line in said)
    return said or []


async def _fire(world: World, pair: Pair, person: Person, number: int) -> list[str]:
    """Begin both, one of them a few turns of the loop later; what was neither done nor refused."""
    later = number * 7 % 40
    late = (later, 0) if number % 2 else (0, later)
    runs = (_after(turns, act, world, person) for turns, act in zip(late, pair.acts, strict=True))
    results = await asyncio.gather(*runs, return_exceptions=True)
    faults = [result for result in results if isinstance(result, BaseException) and not isinstance(result, Refusal)]
    return [f"{pair.name}: {fault!r}" for fault in faults]


async def _after(turns: int, act: Act, world: World, person: Person) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    await act(world, person)


def test_d2_every_flow_that_writes_is_among_them() -> None:
    """D2: or it is known why it is not."""
    writing = {path.stem for path in _ROOM.glob("*.py") if ".transaction()" in path.read_text()}
    assert writing - {module for module, _ in CONTENDERS.values()} == set(APART) | set(WITHIN)
