"""Acts of operators: each leaves an event with its actor, and each needs the permission while it is carried out."""

import pytest

from tests.harness.world import World
from tests.unit.flows.acts import ACTS, ADA, ADDRESS, EVE, an_operator, flows_of_operators, give_role, somebody
from vestibule.flows.administer import sign_out_everywhere
from vestibule.flows.find_people import find_account
from vestibule.flows.watch_events import find_events
from vestibule.model.accounts import Role
from vestibule.model.errors import SessionOver
from vestibule.model.events import ACTOR_SESSION, Event, EventFilter
from vestibule.model.operator_errors import PermissionMissing
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.model.permissions import OF_ROLE

EVERY = pytest.mark.parametrize("name", ACTS)
BY_COMMAND_LINE = pytest.mark.parametrize("name", [name for name, act in ACTS.items() if act.by_command_line])


async def recorded(world: World) -> list[Event]:
    return [event for _, event in await find_events(world.env, EventFilter(), 100)]


async def carry_out(world: World, name: str, operator: Operator) -> list[Event]:
    """Carry out the act on somebody; return the events that this left."""
    account = await somebody(world)
    if (prepare := ACTS[name].prepare) is not None:
        await prepare(world, account)
    before = len(await recorded(world))
    await ACTS[name].carry_out(world.env, operator, account)
    return (await recorded(world))[before:]


def test_every_act_is_in_the_table() -> None:
    assert {act.flow.__name__ for act in ACTS.values()} == flows_of_operators()


@pytest.mark.any_engine
@EVERY
async def test_o19_an_act_is_an_event_with_its_actor(world: World, name: str) -> None:
    """O19: who, from where, in which session, what was before and after."""
    operator, act = await an_operator(world), ACTS[name]
    (event,) = [event for event in await carry_out(world, name, operator) if event.kind is act.event]
    assert (event.actor_id, event.network_address) == (operator.account_id, ADDRESS)
    assert event.detail.items() >= (act.detail | {ACTOR_SESSION: operator.session_id}).items()


@pytest.mark.any_engine
@BY_COMMAND_LINE
async def test_o19_the_command_line_is_nobody(world: World, name: str) -> None:
    (event,) = [e for e in await carry_out(world, name, COMMAND_LINE) if e.kind is ACTS[name].event]
    assert (event.actor_id, event.network_address, event.detail["by"]) == (None, None, "operator")


@pytest.mark.any_engine
@EVERY
@pytest.mark.parametrize("role", Role)
async def test_o20_a_role_does_only_its_own_work(world: World, name: str, role: Role) -> None:
    """O20: the flow itself looks at the role, as it is stored when the act is carried out."""
    operator = await an_operator(world)
    await give_role(world, operator, role)
    if ACTS[name].permission in OF_ROLE[role]:
        assert await carry_out(world, name, operator)
        return
    with pytest.raises(PermissionMissing):
        await carry_out(world, name, operator)
    assert operator.account_id not in {event.actor_id for event in await recorded(world)}


@pytest.mark.any_engine
@EVERY
async def test_o20_an_operator_who_was_signed_out_meanwhile_does_nothing(world: World, name: str) -> None:
    operator, eve = await an_operator(world), await find_account(world.env, EVE)
    assert eve is not None
    await sign_out_everywhere(world.env, COMMAND_LINE, eve)
    with pytest.raises(SessionOver):
        await carry_out(world, name, operator)
    assert operator.account_id not in {event.actor_id for event in await recorded(world)}


async def test_o19_the_owner_does_not_see_which_operator_it_was(world: World) -> None:
    operator, ada = await an_operator(world), await somebody(world)
    await ACTS["sign out everywhere"].carry_out(world.env, operator, ada)
    async with world.env.store.reading() as read:
        (event,) = [event for event in await read.events.of_account(ada.id, 10) if event.actor_id]
    shown = event.for_owner()
    assert (shown.actor_id, shown.network_address) == (None, None)
    assert not {operator.account_id, operator.session_id, ADDRESS} & {*shown.detail.values()}
    assert ada.email == ADA
