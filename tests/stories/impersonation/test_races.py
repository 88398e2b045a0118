"""O64: an operator begins to act as somebody while the right to it ends, or the person becomes an operator."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.harness.locks import until_waiting
from tests.harness.world import World
from tests.stories.impersonation import account_of, acting_as_ada, code_of_me
from tests.unit.flows.acts import EVE, an_operator, somebody
from vestibule.flows.administer import disable_account, sign_out_everywhere
from vestibule.flows.create_account import create_account
from vestibule.flows.delete_account import delete_account
from vestibule.flows.identify import Caller
from vestibule.flows.impersonate import impersonate
from vestibule.flows.set_role import set_role
from vestibule.flows.sign_out import sign_out
from vestibule.model.accounts import Account, Role
from vestibule.model.errors import Refusal
from vestibule.model.operators import COMMAND_LINE, Operator


@dataclass(frozen=True)
class Two:
    """An operator, as the request names them, with their account; and a person."""

    operator: Operator
    eve: Account
    ada: Account


End = Callable[[World, Two], Awaitable[Any]]


async def _sign_out(world: World, two: Two) -> None:
    await sign_out(world.env, Caller(two.operator.session_id or "", two.eve, world.clock.now()))


ENDS: dict[str, End] = {
    "the operator signs out": _sign_out,
    "the operator is signed out": lambda w, two: sign_out_everywhere(w.env, COMMAND_LINE, two.eve),
    "the operator is demoted": lambda w, two: set_role(w.env, COMMAND_LINE, two.eve, Role.HELPER),
    "the operator is disabled": lambda w, two: disable_account(w.env, COMMAND_LINE, two.eve),
    "the operator is deleted": lambda w, two: delete_account(w.env, COMMAND_LINE, two.eve),
    "the person is promoted": lambda w, two: set_role(w.env, COMMAND_LINE, two.ada, Role.AUDITOR),
    "the person is disabled": lambda w, two: disable_account(w.env, COMMAND_LINE, two.ada),
    "the person is deleted": lambda w, two: delete_account(w.env, COMMAND_LINE, two.ada),
}


async def _or_refusal(work: Awaitable[Any]) -> Any:
    try:
        return await work
    except Refusal as refusal:
        return refusal


@pytest.mark.parametrize("begins_first", [True, False])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_o64_no_acting_outlives_what_ends_it(racing_world: World, end: End, *, begins_first: bool) -> None:
    """Both wait for the accounts, which somebody else has locked; the one that came first goes first."""
    world = racing_world
    await create_account(world.env, COMMAND_LINE, "Other", "other@example.com", Role.ADMIN)
    ada, operator = await somebody(world), await an_operator(world)
    two = Two(operator, await account_of(world, EVE), ada)

    def begin() -> Awaitable[Any]:
        return _or_refusal(impersonate(world.env, operator, ada.id, "a ticket"))

    first, second = (begin, lambda: end(world, two)) if begins_first else (lambda: end(world, two), begin)
    async with asyncio.TaskGroup() as both, world.env.store.transaction() as tx:
        await tx.accounts.lock_these(sorted([two.eve.id, ada.id]))
        both.create_task(first())
        await until_waiting(world, 1)
        both.create_task(second())
        await until_waiting(world, 2)
    async with world.env.store.reading() as read:
        assert await read.sessions.acting(None, 10, world.clock.now()) == []


@pytest.mark.parametrize("end", ["operator", "person"])
async def test_o64_it_ends_while_it_is_used(racing_world: World, end: str) -> None:
    world = racing_world
    acting = await acting_as_ada(world)
    ended, codes = asyncio.Event(), []

    async def use() -> None:
        while not ended.is_set():
            await code_of_me(acting.client)
            await asyncio.sleep(0)  # answered from memory, it would let nobody else in
        codes.append(await code_of_me(acting.client))

    async with asyncio.TaskGroup() as all_of_them:
        for _ in range(8):
            all_of_them.create_task(use())
        whose = acting.operator.account if end == "operator" else acting.person
        await sign_out_everywhere(world.env, COMMAND_LINE, whose)
        ended.set()
    reason = "session_acting_ended" if end == "operator" else "session_ended_by_operator"
    assert codes == [reason] * 8
