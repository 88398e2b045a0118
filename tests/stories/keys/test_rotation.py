"""Many rotations under load: nobody is refused, by no process, and by no service that keeps keys as told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.rounds import rounds
from tests.harness.world import POLICY, World, world_on
from tests.stories.keys.offline import KitVerifier, OfflineVerifier
from vestibule.crypto.jwk import UnusableKey
from vestibule.crypto.seal import CannotUnseal, Seal
from vestibule.flows.follow_keys import ensure_next_keys, reread_keys, withdraw_spent_keys
from vestibule.flows.open_key_ring import open_key_ring, stored_keys
from vestibule.flows.rotate_keys import KeysUnchanged, reencrypt_keys, rotate_key, rotate_keys, withdraw_key
from vestibule.model.signing_keys import KeyManager, KeyState, KeyUse

ROTATIONS = rounds(100, suite=10)
CLIENTS = 2
SECRET = "a secret of more than thirty-two characters"
ME = "/api/users/me"


def key_manager(secret: str = SECRET, previous: str | None = None) -> KeyManager:
    return KeyManager(Seal(secret, previous or ""), "RS256", 2048)


@dataclass
class Pair:
    """Two processes on one database, the services behind them, and the tokens that are out."""

    a: World
    b: World
    clock: ManualClock
    verifiers: list[OfflineVerifier | KitVerifier] = field(default_factory=list)
    out: list[tuple[str, float]] = field(default_factory=list)
    checks: int = 0

    async def look(self, world: World) -> None:
        await reread_keys(world.env, world.env.watching)

    async def use(self, client: httpx.AsyncClient, there: httpx.AsyncClient) -> None:
        """Refresh at one process, and be known with the new token at the other and at every service."""
        answer = await client.get("/api/auth/refresh")
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        self.out.append((token, self.clock.monotonic() + POLICY.access_lifetime.total_seconds()))
        await self.check(token, there)

    async def check(self, token: str, there: httpx.AsyncClient) -> None:
        answer = await there.get(ME, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        for verifier in self.verifiers:
            await verifier.check(token)
        self.checks += 1 + len(self.verifiers)

    async def check_what_is_out(self, there: httpx.AsyncClient) -> None:
        """Every token that has not expired is still good."""
        self.out = [(token, until) for token, until in self.out if until > self.clock.monotonic()]
        for token, _ in self.out[:: CLIENTS * 2]:
            await self.check(token, there)


@pytest.fixture
async def pair(postgresql: Backend) -> AsyncIterator[Pair]:
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        a = await stack.enter_async_context(world_on(postgresql, key_manager=key_manager(), clock=clock))
        b = await stack.enter_async_context(world_on(postgresql, key_manager=key_manager(), clock=clock))
        pair = Pair(a, b, clock)
        pair.verifiers = [
            kind(await world.client(), clock) for world in (a, b) for kind in (OfflineVerifier, KitVerifier)
        ]
        await ensure_next_keys(a.env)
        yield pair


async def test_rotations_under_load_refuse_nobody(pair: Pair) -> None:
    await pair.a.register()
    clients = [await pair.a.sign_in() for _ in range(CLIENTS)]
    stranger_at_b, stranger_at_a = await pair.b.client(), await pair.a.client()
    ids = set()

    async def load(there: httpx.AsyncClient) -> None:
        await asyncio.gather(*(pair.use(client, there) for client in clients))

    for number in range(ROTATIONS):
        # Keys were asked for as late as can be: by services whose copy is used up just when the new key may sign.
        pair.clock.advance(seconds=POLICY.published_keys_lifetime.total_seconds() - 1)
        await asyncio.gather(pair.look(pair.a), pair.look(pair.b))
        await pair.check_what_is_out(stranger_at_b)
        pair.clock.advance(seconds=(POLICY.key_lead - POLICY.published_keys_lifetime).total_seconds() + 1)
        await asyncio.gather(pair.look(pair.a), pair.look(pair.b))
        uses = [KeyUse.ACCESS, KeyUse.REFRESH] if number % 10 == 0 else [KeyUse.ACCESS]
        rotated, _ = await asyncio.gather(rotate_key(pair.a.env, uses[0]), load(stranger_at_b))
        ids.add(rotated)
        for use in uses[1:]:
            await rotate_key(pair.b.env, use)
        await pair.look(pair.a)
        await load(stranger_at_b)  # A signs with a key that B has only heard of as the next one
        await pair.look(pair.b)
        await load(stranger_at_a)
        await withdraw_spent_keys(pair.a.env)
    assert len(ids) == ROTATIONS
    assert pair.a.env.keys.access.signing.kid == pair.b.env.keys.access.signing.kid == rotated
    assert pair.checks >= ROTATIONS * CLIENTS * 3 * 3
    # They kept what they were given: no more than one fetch for each time their copy was used up.
    assert all(verifier.fetches <= 2 * ROTATIONS + 1 for verifier in pair.verifiers)
    # What is published stays small, because spent keys go.
    assert len(pair.a.env.keys.access.checking) <= 8


async def test_a_next_key_that_services_may_not_have_does_not_sign(pair: Pair) -> None:
    pair.clock.advance(seconds=(POLICY.key_lead - timedelta(seconds=1)).total_seconds())
    before = pair.a.env.keys.access.signing.kid
    with pytest.raises(KeysUnchanged, match="23:15:26 UTC at the earliest"):
        await rotate_key(pair.a.env, KeyUse.ACCESS)
    await pair.look(pair.b)
    assert pair.b.env.keys.access.signing.kid == before


async def test_a_process_that_slept_looks_before_it_signs_publishes_or_refuses(pair: Pair) -> None:
    await pair.a.register()
    pair.clock.advance(minutes=10)
    await pair.look(pair.a)
    await rotate_key(pair.a.env, KeyUse.ACCESS)
    await rotate_key(pair.a.env, KeyUse.ACCESS, early=True)  # to a key that B has never heard of
    await pair.look(pair.a)
    client = await pair.a.sign_in()
    there = await pair.b.client()
    bearer = {"Authorization": f"Bearer {client.cookies['access_token']}"}
    assert (await there.get(ME, headers=bearer)).status_code == 200
    pair.clock.advance(minutes=1)
    published = (await there.get("/.well-known/jwks.json")).json()["keys"]
    assert published[0]["kid"] == pair.a.env.keys.access.signing.kid


async def test_an_unknown_key_is_refused_without_asking_the_database(pair: Pair) -> None:
    await pair.a.register()
    client = await pair.a.sign_in()
    await pair.look(pair.b)
    header, _, rest = client.cookies["access_token"].partition(".")
    unknown = f"{header[:-8]}AAAAAAAA.{rest}"
    there = await pair.b.client()
    await pair.b.take_database_away()
    assert (await there.get(ME, headers={"Authorization": f"Bearer {unknown}"})).status_code == 401


async def test_a_process_that_cannot_look_refuses_nobody_it_may_not_know(pair: Pair) -> None:
    await pair.a.register()
    pair.clock.advance(minutes=10)
    await pair.look(pair.a)
    await rotate_key(pair.a.env, KeyUse.ACCESS)
    await rotate_key(pair.a.env, KeyUse.ACCESS, early=True)
    await pair.look(pair.a)
    client = await pair.a.sign_in()
    await pair.b.take_database_away()
    there = await pair.b.client()
    answer = await there.get(ME, headers={"Authorization": f"Bearer {client.cookies['access_token']}"})
    assert answer.status_code == 503
    assert (await there.get("/.well-known/jwks.json")).status_code == 503


async def test_a_key_that_was_let_go_opens_nothing_even_where_its_tokens_were_known(pair: Pair) -> None:
    await pair.a.register()
    client = await pair.a.sign_in()
    assert (await client.get(ME)).status_code == 200
    leaked = pair.a.env.keys.access.signing.kid
    await rotate_key(pair.a.env, KeyUse.ACCESS, early=True)
    with pytest.raises(KeysUnchanged, match="are valid until"):
        await withdraw_key(pair.a.env, leaked)
    await withdraw_key(pair.a.env, leaked, early=True)
    with pytest.raises(KeysUnchanged, match="is gone already"):
        await withdraw_key(pair.a.env, leaked, early=True)
    await pair.look(pair.a)
    assert (await client.get(ME)).json()["code"] == "access_token_invalid"
    assert (await client.get("/api/auth/refresh")).status_code == 200
    assert (await client.get(ME)).status_code == 200


async def test_a_current_key_and_an_unknown_one_are_not_let_go(pair: Pair) -> None:
    with pytest.raises(KeysUnchanged, match="vestibule keys rotate --use access"):
        await withdraw_key(pair.a.env, pair.a.env.keys.access.signing.kid, early=True)
    with pytest.raises(KeysUnchanged, match="vestibule keys list"):
        await withdraw_key(pair.a.env, "unknown", early=True)


async def test_keys_sealed_anew_open_under_the_new_secret_alone(pair: Pair) -> None:
    env = pair.a.env
    new = "another secret of more than thirty-two characters"
    both = await open_key_ring(env.store, env.clock, key_manager(new, SECRET))
    assert both.access.signing.kid == env.keys.access.signing.kid
    assert await reencrypt_keys(replace(env, key_manager=key_manager(new, SECRET))) == 4
    alone = await open_key_ring(env.store, env.clock, key_manager(new))
    assert alone.access.checking.keys() == both.access.checking.keys()
    with pytest.raises(CannotUnseal):
        await open_key_ring(env.store, env.clock, key_manager())


def test_a_key_for_an_unknown_algorithm_is_not_made() -> None:
    with pytest.raises(UnusableKey, match="HS256"):
        KeyManager(Seal(SECRET), "HS256", 2048).make(KeyUse.ACCESS, KeyState.NEXT, ManualClock().now())


async def test_both_uses_rotate_or_neither(pair: Pair) -> None:
    """The refresh key's successor is younger: services may not have it yet, so that the access key stays as well."""
    env = pair.a.env
    pair.clock.advance(seconds=POLICY.key_lead.total_seconds())
    await rotate_key(env, KeyUse.REFRESH)
    before = await key_states(pair)
    with pytest.raises(KeysUnchanged, match="nothing was rotated"):
        await rotate_keys(env, list(KeyUse))
    assert await key_states(pair) == before
    pair.clock.advance(seconds=POLICY.key_lead.total_seconds())
    assert (await rotate_keys(env, list(KeyUse))).keys() == set(KeyUse)
    made = [key.created_at for key in await stored_keys(env.store) if key.state is KeyState.NEXT]
    assert len(made) == 2
    assert len(set(made)) == 1, "published at the same time, so that they may sign at the same time"


async def key_states(pair: Pair) -> object:
    async with pair.a.env.store.reading() as read:
        return await read.signing_keys.states()
