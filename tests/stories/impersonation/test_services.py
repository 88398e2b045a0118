"""O65: every face that tells a service who is calling tells it who acts."""

import json

import pytest

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.dump import replicated
from tests.harness.world import World, world_on
from tests.stories.impersonation import acting_as_ada
from vestibule.client.caller import Caller
from vestibule.client.token_clock import TokenClock
from vestibule.crypto.jws import InvalidToken
from vestibule.flows.introspect import introspect
from vestibule.model.clock import SystemClock
from vestibule.protocol import access_tokens
from vestibule.web.api.service_answers import Introspection

MALFORMED = {"a string": "olive", "no sub": {}, "an empty sub": {"sub": ""}, "a number": {"sub": 7}, "null": None}


async def test_o65_the_kit_says_who_acts(world: World) -> None:
    acting = await acting_as_ada(world)
    env = world.env
    token, claims = access_tokens.read(
        acting.token, env.keys.access.checking, env.policy.issuer.expected, world.clock.now().timestamp()
    )
    caller = Caller.of(token, claims, TokenClock())
    assert (caller.id, caller.actor, caller.level) == (acting.person.id, acting.operator.account.id, 1)


async def test_o65_forward_auth_says_who_acts_and_no_client_does(world: World) -> None:
    acting, owner = await acting_as_ada(world), await world.sign_in()
    headers = (await acting.client.get("/api/auth/verify")).headers
    assert (headers["vestibule-user"], headers["vestibule-actor"]) == (acting.person.id, acting.operator.account.id)
    assert "vestibule-actor" not in (await owner.get("/api/auth/verify")).headers
    forged = await owner.get("/api/auth/verify", headers={"Vestibule-Actor": "olive"})
    assert (forged.status_code, forged.json()["code"]) == (400, "reserved_header")


async def test_o65_introspection_says_who_acts(world: World) -> None:
    acting, owner = await acting_as_ada(world), await world.sign_in()
    told = Introspection.of(await introspect(world.env, acting.token), world.env.policy.issuer)
    assert told.act == {"sub": acting.operator.account.id}
    own = Introspection.of(await introspect(world.env, owner.cookies["access_token"]), world.env.policy.issuer)
    assert "act" not in own.model_dump(exclude_none=True)


async def test_o65_the_copy_in_redis_says_who_acts(postgresql: Backend) -> None:
    clock = ManualClock()
    clock.advance(seconds=(SystemClock().now() - clock.now()).total_seconds())  # Redis has no other
    async with world_on(postgresql, clock=clock) as world:
        acting = await acting_as_ada(world)
        await world.sign_in()
        stored = await replicated(world)
    copies = {key: json.loads(copy) for key, copy in stored.items() if key.startswith("session:")}
    acted = {key: copy["act"] for key, copy in copies.items() if "act" in copy}
    assert acted == {f"session:{acting.session_id}": {"sub": acting.operator.account.id}}
    assert len(copies) > len(acted)


@pytest.mark.parametrize("act", MALFORMED.values(), ids=MALFORMED)
async def test_o65_a_malformed_actor_is_nobodys_token(world: World, act: object) -> None:
    acting = await acting_as_ada(world)
    env = world.env
    now, expected = world.clock.now().timestamp(), env.policy.issuer.expected
    _, claims = access_tokens.read(acting.token, env.keys.access.checking, expected, now)
    with pytest.raises(InvalidToken):
        access_tokens.judge({**claims, "act": act}, expected, now)
