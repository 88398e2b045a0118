"""Refresh keys are Ed25519 at a first start, and wherever keys are older, become so by rotations that sign nobody out.

Decision 0038.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest
from joserfc.errors import JoseError

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.older_keys import OlderKeyManager
from tests.harness.world import POLICY, World, world_on
from tests.stories.keys.offline import KitVerifier, OfflineVerifier
from tests.stories.keys.test_algorithms import alg_of
from vestibule.client.caller_errors import TokenInvalidError
from vestibule.crypto.seal import Seal
from vestibule.flows.follow_keys import ensure_next_keys, reread_keys, withdraw_spent_keys
from vestibule.flows.open_key_ring import stored_keys
from vestibule.flows.rotate_keys import rotate_key
from vestibule.model.signing_keys import KeyManager, KeyState, KeyUse

SECRET = "a secret of more than thirty-two characters"
TODAY, OLDER = KeyManager(Seal(SECRET), "RS256", 2048), OlderKeyManager(Seal(SECRET), "RS256", 2048)
LEAD = POLICY.key_lead.total_seconds() + 1


async def kinds(world: World) -> dict[tuple[KeyUse, KeyState], str]:
    return {(key.use, key.state): key.alg for key in await stored_keys(world.env.store)}


async def rotate(world: World) -> None:
    world.clock.advance(seconds=LEAD)
    await rotate_key(world.env, KeyUse.REFRESH)
    await reread_keys(world.env, world.env.watching)


async def refreshed(client: httpx.AsyncClient) -> str:
    """The algorithm of the refresh token that comes for the one in the jar, which has to be good."""
    answer = await client.post("/api/auth/refresh")
    assert answer.status_code == 200, answer.text
    return alg_of(client.cookies["refresh_token"])


async def test_t1_first_keys_are_rsa_for_access_and_ed25519_for_refresh(backend: Backend) -> None:
    async with world_on(backend, key_manager=TODAY) as world:
        await ensure_next_keys(world.env)
        assert await kinds(world) == {
            (use, state): alg
            for use, alg in ((KeyUse.ACCESS, "RS256"), (KeyUse.REFRESH, "EdDSA"))
            for state in (KeyState.CURRENT, KeyState.NEXT)
        }
        await world.register()
        client = await world.sign_in()
        assert [alg_of(client.cookies[name]) for name in ("access_token", "refresh_token")] == ["RS256", "EdDSA"]
        assert await refreshed(client) == "EdDSA"


@pytest.mark.parametrize("key_manager", [TODAY, OLDER], ids=["Ed25519", "RSA"])
async def test_t4_no_refresh_key_is_published_and_no_service_takes_a_refresh_token(
    backend: Backend, key_manager: KeyManager
) -> None:
    """Services believe the published keys, so that none of them may check a refresh token."""
    async with world_on(backend, key_manager=key_manager) as world:
        await ensure_next_keys(world.env)
        await reread_keys(world.env, world.env.watching)
        answer = await (await world.client()).get("/.well-known/jwks.json")
        published = {key["kid"] for key in answer.json()["keys"]}
        stored = await stored_keys(world.env.store)
        assert published == {key.kid for key in stored if key.use is KeyUse.ACCESS}
        assert {key["alg"] for key in answer.json()["keys"]} == {"RS256"}
        assert published == set(world.env.keys.access.checking), "which is what the feed lists"
        await world.register()
        jar = (await world.sign_in()).cookies
        for kind, refusal in ((KitVerifier, TokenInvalidError), (OfflineVerifier, JoseError)):
            verifier = kind(await world.client(), world.clock)
            await verifier.check(jar["access_token"])
            with pytest.raises(refusal):
                await verifier.check(jar["refresh_token"])


async def test_a_ring_from_before_stays_as_it_is_until_somebody_rotates(backend: Backend) -> None:
    async with world_on(backend, key_manager=OLDER) as older:
        await ensure_next_keys(older.env)
        before = await stored_keys(older.env.store)
    async with world_on(backend, key_manager=TODAY) as world:
        await ensure_next_keys(world.env)
        assert await stored_keys(world.env.store) == before
        assert {key.alg for key in before} == {"RS256"}


async def test_t11_two_rotations_lead_to_ed25519_and_sign_nobody_out(backend: Backend) -> None:
    async with world_on(backend, key_manager=OLDER) as older:
        await ensure_next_keys(older.env)
        await older.register()
        asleep, awake = [(await older.sign_in()).cookies for _ in range(2)]
        clock = older.clock
    async with world_on(backend, key_manager=TODAY, clock=clock) as world:
        client = await world.client()
        client.cookies = awake
        assert await refreshed(client) == "RS256"
        await rotate(world)
        assert await refreshed(client) == "RS256", "the key that was ready signs first"
        await rotate(world)
        assert await refreshed(client) == "EdDSA"
        client.cookies = asleep
        assert await refreshed(client) == "EdDSA", "a token of the key before last is good until it expires"
        assert {key.alg for key in world.env.keys.refresh.checking.values()} == {"RS256", "EdDSA"}


async def test_rsa_refresh_keys_go_when_nothing_that_they_signed_can_live(backend: Backend) -> None:
    async with world_on(backend, key_manager=OLDER) as world:
        await ensure_next_keys(world.env)
        world.env = replace(world.env, key_manager=TODAY)
        for _ in range(2):
            await rotate(world)
        last_moment = POLICY.sessions.absolute.total_seconds()
        world.clock.advance(seconds=last_moment)
        await withdraw_spent_keys(world.env)
        assert "RS256" in {key.alg for key in await stored_keys(world.env.store) if key.use is KeyUse.REFRESH}
        world.clock.advance(seconds=LEAD)
        await withdraw_spent_keys(world.env)
        await reread_keys(world.env, world.env.watching)
        assert {key.alg for key in world.env.keys.refresh.checking.values()} == {"EdDSA"}


@pytest.fixture
async def old_and_new(postgresql: Backend) -> AsyncIterator[tuple[World, World]]:
    """An older server, which made the keys, and one of today beside it."""
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(world_on(postgresql, key_manager=OLDER, clock=clock))
        new = await stack.enter_async_context(world_on(postgresql, key_manager=TODAY, clock=clock))
        await ensure_next_keys(old.env)
        yield old, new


async def test_old_and_new_servers_take_each_others_tokens_through_rotations(
    old_and_new: tuple[World, World],
) -> None:
    """Whichever of them rotates, and so chooses the kind of the key after the next."""
    old, new = old_and_new
    await old.register()
    at_old, at_new = await old.sign_in(), await new.sign_in()
    seen = []
    for rotating, other in ((new, old), (new, old), (old, new), (new, old), (old, new), (old, new)):
        await rotate(rotating)
        await reread_keys(other.env, other.env.watching)
        for _ in range(2):
            seen.append({await refreshed(at_old), await refreshed(at_new)})
            at_old.cookies, at_new.cookies = at_new.cookies, at_old.cookies
    signed = [kind for kinds_of_both in seen[::2] for kind in kinds_of_both]
    # The key that signs after a rotation was made at the rotation before: by `new`, `new`, `old`, `new`, `old`.
    assert signed == ["RS256", "EdDSA", "EdDSA", "RS256", "EdDSA", "RS256"]
    assert all(len(kinds_of_both) == 1 for kinds_of_both in seen)
