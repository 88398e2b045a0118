"""Measure how long an operator waits on a database of some size: for a page of a search, and for a page
about a person.
"""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from measure.capacity.fill import account_id_of, email_of
from measure.capacity.people import People
from measure.postgres import Postgres
from tests.harness.backends import Backend
from tests.harness.world import world_on
from vestibule.flows.env import Env
from vestibule.flows.find_people import find_people
from vestibule.flows.see_person import see_person

_MOST = 200
_PREFIXES = ("", "p", "person-", "Person", "PERSON 1", "person-9", "nobody")

Ask = Callable[[Env, int], Awaitable[Any]]


async def measure_operators(postgres: Postgres, people: People) -> dict[str, list[float]]:
    """Return the seconds of each call by operation: calls of the flow, without HTTP, one after the other."""
    asked: dict[str, Ask] = {"an operator's search": _search, "an operator's page about a person": _see}
    async with world_on(Backend(postgres.address(), None)) as world:
        return {
            name: [await _timed(ask, world.env, number) for number in people.numbers(_MOST)]
            for name, ask in asked.items()
        }


async def _timed(ask: Ask, env: Env, number: int) -> float:
    begun = perf_counter()
    await ask(env, number)
    return perf_counter() - begun


async def _search(env: Env, number: int) -> None:
    """Search in turn for a whole email, a whole name, an id, and a prefix that very many share."""
    many = _PREFIXES[number % len(_PREFIXES)]
    typed = (email_of(number), f"person {number}", account_id_of(number), many)[number % 4]
    page = await find_people(env, typed)
    if typed and typed is not many:
        assert page.accounts, typed  # a search that finds nobody would be quick


async def _see(env: Env, number: int) -> None:
    assert await see_person(env, account_id_of(number)) is not None  # not to find somebody would be quick
