"""Two kinds of key in one ring: RSA for access tokens, Ed25519 for refresh tokens, and RSA refresh keys from before.

No token may choose how it is checked: neither by its algorithm, nor by its key id, nor by its type (RFC 8725, sections
2.1, 3.1 and 3.11).
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import product

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.older_keys import OlderKeyManager
from tests.harness.world import POLICY, World, world_on
from tests.stories.hostile.asking import (
    INVALID,
    NO_REFRESH,
    Failures,
    Listener,
    as_bearer,
    as_cookie,
    as_refresh,
    good_access,
    good_refresh,
    listing,
)
from tests.stories.hostile.forgery import Good, Json, compose, stranger
from tests.stories.hostile.tokens import hostile_tokens
from vestibule.crypto.jwk import ALGORITHMS, PrivateKey
from vestibule.crypto.seal import Seal
from vestibule.flows.follow_keys import ensure_next_keys, reread_keys
from vestibule.flows.open_key_ring import stored_keys
from vestibule.flows.rotate_keys import rotate_key
from vestibule.model.signing_keys import KeyManager, KeyState, KeyUse

pytestmark = pytest.mark.any_engine

SEAL = Seal("correct horse battery staple " * 2)
TODAY, OLDER = KeyManager(SEAL, "RS256", 2048), OlderKeyManager(SEAL, "RS256", 2048)


@dataclass(frozen=True)
class Ring:
    """A server in the middle of the change, and good tokens of each of its kinds."""

    nobody: httpx.AsyncClient
    access: Good
    refresh: Good
    refresh_from_before: Good

    @property
    def keys(self) -> list[PrivateKey]:
        return [self.access.key, self.refresh.key, self.refresh_from_before.key]

    def entitled(self, header: Json, claims: Json, signer: PrivateKey) -> str | None:
        """What a token with these parts is accepted for; None for nearly all."""
        for use, good in (("bearer", self.access), ("refresh", self.refresh), ("refresh", self.refresh_from_before)):
            if (header, claims, signer) == (good.header, good.claims, good.key):
                return use
        return None


@pytest.fixture
async def ring(backend: Backend) -> AsyncIterator[Ring]:
    async with world_on(backend, key_manager=OLDER) as world:
        await ensure_next_keys(world.env)
        before = {key.kid: OLDER.open(key) for key in await stored_keys(world.env.store)}
        world.env = replace(world.env, key_manager=TODAY)
        await rotate_twice(world)
        await world.register()
        browser = await world.sign_in()
        checking = world.env.keys.refresh.checking
        retired = next(key for kid, key in before.items() if kid in checking)
        good = good_refresh(world, browser)
        assert [key.public.alg for key in (good.key, retired)] == ["EdDSA", "RS256"]
        yield Ring(await world.client(), good_access(world, browser), good, replace(good, key=retired))


async def rotate_twice(world: World) -> None:
    for _ in range(2):
        world.clock.advance(seconds=POLICY.key_lead.total_seconds() + 1)
        await rotate_key(world.env, KeyUse.REFRESH)
    await reread_keys(world.env, world.env.watching)
    states = {key.state for key in await stored_keys(world.env.store) if key.use is KeyUse.REFRESH}
    assert states == {KeyState.NEXT, KeyState.CURRENT, KeyState.RETIRED}


async def test_no_hostile_token_is_taken_by_either_kind_of_refresh_key(ring: Ring, listener: Listener) -> None:
    """T1, T2, T3, T5, T7, T8: the tables of hostile tokens, over both refresh keys of one ring."""
    failures: Failures = {}
    for good in (ring.refresh, ring.refresh_from_before):
        table = hostile_tokens(good, listener.url)
        assert len(table) >= 200
        seen = {name: await as_refresh(ring.nobody, token) for name, token in table.items()}
        failures |= {f"{good.key.public.alg}: {name}": found for name, found in seen.items() if found != NO_REFRESH}
        assert (await as_refresh(ring.nobody, good.token()))[0] == 200
    assert not failures, listing(failures)
    assert listener.connections == 0


async def test_a_token_is_accepted_for_its_own_use_under_its_own_key_and_algorithm_alone(ring: Ring) -> None:
    """T1, T4, R6: every signer, key id, algorithm, type and content, each with each."""
    failures: Failures = {}
    accepted_for = []
    for header, claims, signer in mixtures(ring):
        use = ring.entitled(header, claims, signer)
        token = compose(header, claims, Good(signer, "", {}).sign)
        seen = await as_bearer(ring.nobody, token), await as_cookie(ring.nobody, token)
        refreshed = await as_refresh(ring.nobody, token)
        if {found[0] if use == "bearer" else found for found in seen} != {200 if use == "bearer" else INVALID}:
            failures[f"{header} by {signer.kid}, access"] = seen[0]
        if (refreshed[0] if use == "refresh" else refreshed) != (200 if use == "refresh" else NO_REFRESH):
            failures[f"{header} by {signer.kid}, refresh"] = refreshed
        accepted_for += [use] if use else []
    assert not failures, listing(failures)
    assert sorted(accepted_for) == ["bearer", "refresh", "refresh"]


def mixtures(ring: Ring) -> Iterator[tuple[Json, Json, PrivateKey]]:
    signers = [*ring.keys, stranger("RS256"), stranger("EdDSA")]
    for signer, key, alg, typ, good in product(
        signers, ring.keys, ALGORITHMS, ("at+jwt", "rt+jwt"), (ring.access, ring.refresh)
    ):
        yield {"alg": alg, "kid": key.kid, "typ": typ}, good.claims, signer
