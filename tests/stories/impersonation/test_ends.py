"""O62: whatever ends the operator's session or the right to it, or the person's sessions, ends the acting at once."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from tests.harness.world import World
from tests.stories.impersonation import (
    EMAIL,
    Acting,
    account_of,
    acting_as,
    acting_as_ada,
    code_of_me,
    events_of,
    with_token,
)
from tests.stories.operators.people import TWO_FACTORS, operator_in
from vestibule.flows.administer import disable_account, sign_out_everywhere
from vestibule.flows.delete_account import delete_account
from vestibule.flows.identify import read_token
from vestibule.flows.mark_verified import mark_verified
from vestibule.flows.set_role import set_role
from vestibule.model.accounts import Role
from vestibule.model.events import EventKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.sessions import EndedSessions, EndReason, Session, Sessions
from vestibule.protocol.authentication import Method

BY_OPERATOR, CODE = EndReason.ENDED_BY_OPERATOR, Method.ONE_TIME_CODE

End = Callable[[World, Acting], Awaitable[object]]


async def _sign_out(world: World, acting: Acting) -> None:
    refreshed = await acting.operator.client.post("/api/auth/refresh")
    operator = await with_token(world, refreshed.json()["access_token"])
    assert (await operator.post("/api/auth/logout")).status_code == 200


async def _promote(world: World, acting: Acting) -> None:
    await mark_verified(world.env, COMMAND_LINE, acting.person)
    assert await set_role(world.env, COMMAND_LINE, acting.person, Role.AUDITOR)


OF_THE_OPERATOR: dict[str, End] = {
    "signed out": _sign_out,
    "signed out everywhere": lambda w, a: sign_out_everywhere(w.env, COMMAND_LINE, a.operator.account),
    "demoted": lambda w, a: set_role(w.env, COMMAND_LINE, a.operator.account, Role.HELPER),
    "disabled": lambda w, a: disable_account(w.env, COMMAND_LINE, a.operator.account),
    "deleted": lambda w, a: delete_account(w.env, COMMAND_LINE, a.operator.account),
}
OF_THE_PERSON: dict[str, End] = {
    "signed out everywhere": lambda w, a: sign_out_everywhere(w.env, COMMAND_LINE, a.person),
    "disabled": lambda w, a: disable_account(w.env, COMMAND_LINE, a.person),
    "deleted": lambda w, a: delete_account(w.env, COMMAND_LINE, a.person),
    "promoted": _promote,
}
LATER = pytest.mark.parametrize("minutes", [0, 20])


async def _is_over(world: World, acting: Acting) -> None:
    """For this process, and for whoever follows the feed: each service refuses the token by it."""
    assert await code_of_me(acting.client) != ""
    assert world.env.revocations.refuses(await read_token(world.env, acting.token))


@LATER
@pytest.mark.parametrize("end", OF_THE_OPERATOR.values(), ids=OF_THE_OPERATOR)
async def test_o62_it_ends_with_the_operator(world: World, end: End, minutes: int) -> None:
    await operator_in(world, Role.ADMIN)  # another admin, so that this one is not the last
    acting, owner = await acting_as_ada(world), await world.sign_in()
    world.clock.advance(minutes=minutes)
    await end(world, acting)
    await _is_over(world, acting)
    ended = [event for event in await events_of(world, acting.person) if event.kind is EventKind.SESSION_ENDED]
    told = [(event.session_id, event.actor_id, event.detail["reason"]) for event in ended]
    assert told == [(acting.session_id, acting.operator.account.id, "acting_ended")]
    assert (await owner.get("/api/auth/refresh")).status_code == 200, "the person's own sessions go on"


@LATER
@pytest.mark.parametrize("end", OF_THE_PERSON.values(), ids=OF_THE_PERSON)
async def test_o62_it_ends_with_the_persons_sessions(world: World, end: End, minutes: int) -> None:
    acting = await acting_as_ada(world)
    world.clock.advance(minutes=minutes)
    await end(world, acting)
    await _is_over(world, acting)


async def test_o62_the_operator_ends_it_by_signing_out_and_stays_signed_in(world: World) -> None:
    acting = await acting_as_ada(world)
    assert (await acting.client.post("/api/auth/logout")).status_code == 200
    await _is_over(world, acting)
    ended = (await events_of(world, acting.person))[-1]
    assert (ended.kind, ended.session_id) == (EventKind.SESSION_ENDED, acting.session_id)
    assert (ended.actor_id, ended.detail["reason"]) == (acting.operator.account.id, "acting_ended")
    assert await code_of_me(acting.operator.client) == ""


WAYS: dict[str, Callable[[Sessions, Session, datetime], Awaitable[EndedSessions]]] = {
    "one": lambda port, own, now: port.end(own.id, own.account_id, BY_OPERATOR, now),
    "all": lambda port, own, now: port.end_all(own.account_id, BY_OPERATOR, now),
    "all but one": lambda port, own, now: port.end_others(own.account_id, "", 9, BY_OPERATOR, now),
    "those of a factor": lambda port, own, now: port.end_others_by(own.account_id, "", CODE, 9, BY_OPERATOR, now),
    "the longest unseen": lambda port, own, now: port.end_longest_unseen(own.account_id, 9, "", now),
}


@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize("way", WAYS)
async def test_o62_each_way_to_end_sessions_tells_in_which_an_operator_acts(
    world: World, way: str, *, acts: bool
) -> None:
    """And says so of no other one: to look would cost each sign-out a statement."""
    await world.register(EMAIL)
    operator, now, limits = await operator_in(world, Role.ADMIN), world.clock.now(), world.env.policy.sessions
    if acts:
        await acting_as(world, await account_of(world), operator)
    async with world.env.store.transaction() as tx:
        (own,) = await tx.sessions.of_account(operator.account.id, 2, now)
        await tx.sessions.step_up(own.id, own.account_id, TWO_FACTORS, limits, now)
        ended = await WAYS[way](tx.sessions, own, now)
    assert list(ended) == [own.id]
    assert ended.acted == ((own.id,) if acts else ())


async def test_o62_its_revocation_lasts_as_long_as_its_token(world: World) -> None:
    acting = await acting_as_ada(world)
    world.clock.advance(seconds=1)
    await sign_out_everywhere(world.env, COMMAND_LINE, acting.person)
    token = await read_token(world.env, acting.token)
    world.clock.advance(minutes=30)
    world.env.revocations.purge(world.clock.monotonic())
    assert world.env.revocations.refuses(token)
