"""Service keys that somebody makes up: each costs a query, so that a network has a limit."""

import pytest

from tests.harness.clock import ManualClock
from tests.harness.world import World
from vestibule.flows.service_keys import create_service_key, revoke_service_key
from vestibule.model import service_keys
from vestibule.web.wrong_keys import MOST_NETWORKS, WRONG_KEYS, WrongKeys

ASKED = [("POST", "/api/auth/introspect"), ("GET", "/api/revocations")]


async def asked(world: World, method: str, path: str, key: str | None) -> int:
    client = await world.client(origin=None)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = await client.request(
        method, path, headers=headers, **({"data": {"token": "x"}} if method == "POST" else {})
    )
    if answer.status_code == 429:
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    return answer.status_code


@pytest.mark.parametrize(("method", "path"), ASKED)
async def test_g15_made_up_keys_are_looked_up_sixty_times_a_minute(world: World, method: str, path: str) -> None:
    """G15: then they are refused without a look, and in the next minute looked up again."""
    for _ in range(WRONG_KEYS):
        assert await asked(world, method, path, service_keys.mint()) == 401
    await world.take_database_away()
    assert [await asked(world, method, path, service_keys.mint()) for _ in range(3)] == [429] * 3
    world.clock.advance(minutes=1)
    assert await asked(world, method, path, service_keys.mint()) == 503


async def test_g15_nobody_on_its_network_keeps_a_service_out(world: World) -> None:
    """G15: and one that is removed is out at once all the same."""
    key = await create_service_key(world.env, "billing")
    assert await asked(world, "POST", "/api/auth/introspect", key) == 200
    for _ in range(WRONG_KEYS * 2):
        await asked(world, "POST", "/api/auth/introspect", service_keys.mint())
    assert await asked(world, "POST", "/api/auth/introspect", service_keys.mint()) == 429
    assert await asked(world, "POST", "/api/auth/introspect", None) == 401, "for which nothing is looked up"
    assert await asked(world, "POST", "/api/auth/introspect", key) == 200
    await revoke_service_key(world.env, "billing")
    assert await asked(world, "POST", "/api/auth/introspect", key) == 401


def test_g15_networks_beyond_the_table_are_limited_together() -> None:
    clock, wrong_keys = ManualClock(), WrongKeys()

    def waits(network: str) -> bool:
        return wrong_keys.retry_after(service_keys.mint(), network, clock) is not None

    for network in [*(f"192.0.2.{number}" for number in range(MOST_NETWORKS)), *map(str, range(WRONG_KEYS))]:
        assert not waits(network)
        wrong_keys.count(network)
    assert waits("203.0.113.1")
    assert not waits("192.0.2.1"), "which has a counter of its own"
