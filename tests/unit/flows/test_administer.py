"""C38: what an operator does a second time changes nothing, is said to be so already, and leaves no second event."""

from collections import Counter

from tests.harness.world import World
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.find_people import find_account
from vestibule.flows.service_keys import create_service_key, revoke_service_key
from vestibule.flows.watch_events import find_events
from vestibule.model.events import EventFilter
from vestibule.model.operators import COMMAND_LINE

EMAIL = "ada@example.com"


async def recorded(world: World) -> Counter[str]:
    return Counter(event.kind.value for _, event in await find_events(world.env, EventFilter(), 100))


async def test_c38_an_account_is_shut_and_opened_once(world: World) -> None:
    await world.register()
    await world.sign_in()
    account = await find_account(world.env, EMAIL)
    assert account is not None
    assert [await disable_account(world.env, COMMAND_LINE, account) for _ in range(3)] == [1, None, None]
    assert [await enable_account(world.env, COMMAND_LINE, account) for _ in range(3)] == [True, False, False]
    seen = await recorded(world)
    assert (seen["account_disabled"], seen["account_enabled"]) == (1, 1)


async def test_c38_a_service_is_let_in_and_shut_out_once(world: World) -> None:
    assert [bool(await create_service_key(world.env, "billing")) for _ in range(2)] == [True, False]
    assert [await revoke_service_key(world.env, "billing") for _ in range(2)] == [True, False]
    seen = await recorded(world)
    assert (seen["service_created"], seen["service_revoked"]) == (1, 1)
