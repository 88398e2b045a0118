"""Every hostile token, in every place a token can be sent: refused with the contract's status, and nothing fetched."""

import time

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import World, world_on
from tests.stories.hostile.asking import (
    INVALID,
    ME,
    NO_REFRESH,
    NOT_SIGNED_IN,
    Failures,
    Listener,
    as_bearer,
    as_cookie,
    as_posted_refresh,
    as_refresh,
    good_access,
    good_refresh,
    listing,
)
from tests.stories.hostile.forgery import compose, encode
from tests.stories.hostile.tokens import hostile_tokens
from vestibule.crypto.seal import Seal
from vestibule.model.letters import LetterKind
from vestibule.model.signing_keys import KeyManager


@pytest.fixture
async def browser(world: World) -> httpx.AsyncClient:
    """Somebody who is signed in; the cookies are in the jar."""
    await world.register()
    return await world.sign_in()


@pytest.fixture
async def nobody(world: World) -> httpx.AsyncClient:
    """A browser without a cookie."""
    return await world.client()


async def test_the_tokens_that_the_tables_are_made_of_are_good(
    world: World, browser: httpx.AsyncClient, nobody: httpx.AsyncClient
) -> None:
    access, refresh = good_access(world, browser), good_refresh(world, browser)
    assert access.token() == browser.cookies["access_token"]
    assert refresh.token() == browser.cookies["refresh_token"]
    assert (await as_bearer(nobody, access.token()))[0] == 200
    assert (await as_cookie(nobody, access.token()))[0] == 200
    assert (await as_refresh(nobody, refresh.token()))[0] == 200


async def test_no_hostile_token_signs_anybody_in(
    world: World, browser: httpx.AsyncClient, nobody: httpx.AsyncClient, listener: Listener
) -> None:
    """T1, T2, T3, T5, T7, T8, O17: no hostile token signs anybody in."""
    table = hostile_tokens(good_access(world, browser), listener.url)
    assert len(table) >= 200
    failures: Failures = {}
    for name, token in table.items():
        for way in (as_bearer, as_cookie):
            if (seen := await way(nobody, token)) != INVALID:
                failures[f"{way.__name__}: {name}"] = seen
    assert not failures, listing(failures)
    assert listener.connections == 0


async def test_no_hostile_token_refreshes_anything(
    world: World, browser: httpx.AsyncClient, nobody: httpx.AsyncClient, listener: Listener
) -> None:
    """T1, T2, T3, T5, T7, T8: no hostile token refreshes anything."""
    good = good_refresh(world, browser)
    table = hostile_tokens(good, listener.url)
    assert len(table) >= 200
    failures: Failures = {}
    for number, (name, token) in enumerate(table.items()):
        way = (as_refresh, as_posted_refresh)[number % 2]
        if (seen := await way(nobody, token)) != NO_REFRESH:
            failures[name] = seen
    assert not failures, listing(failures)
    assert listener.connections == 0
    assert (await as_refresh(nobody, good.token()))[0] == 200, "the refusals did the session no harm"


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
async def test_no_hostile_token_is_taken_where_keys_are_of_another_kind(
    backend: Backend, listener: Listener, algorithm: str
) -> None:
    """T1, T2, T3, T5, T7, T8: the same tables, made of tokens of each other kind."""
    async with world_on(
        backend, key_manager=KeyManager(Seal("correct horse battery staple " * 2), algorithm, 2048)
    ) as world:
        await world.register()
        browser, nobody = await world.sign_in(), await world.client()
        access, refresh = good_access(world, browser), good_refresh(world, browser)
        failures: Failures = {}
        for good, way, refused in ((access, as_bearer, INVALID), (refresh, as_refresh, NO_REFRESH)):
            table = hostile_tokens(good, listener.url)
            assert len(table) >= 200
            seen = {name: await way(nobody, token) for name, token in table.items()}
            failures |= {f"{way.__name__}: {name}": found for name, found in seen.items() if found != refused}
            assert (await way(nobody, good.token()))[0] == 200
    assert not failures, listing(failures)
    assert listener.connections == 0


async def test_nothing_at_all_is_not_signed_in(nobody: httpx.AsyncClient) -> None:
    for token in ("", " ", "\t"):
        assert await as_bearer(nobody, token) == NOT_SIGNED_IN
        assert await as_cookie(nobody, token) == NOT_SIGNED_IN
        assert await as_refresh(nobody, token) == NO_REFRESH


async def test_each_kind_of_secret_is_accepted_for_its_own_use_alone(
    world: World, browser: httpx.AsyncClient, nobody: httpx.AsyncClient
) -> None:
    """T4, R6: each kind of secret is accepted for its own use alone."""
    await nobody.post("/api/auth/forgotpassword", json={"email": "ada@example.com"})
    await world.deliver()
    access, refresh = good_access(world, browser), good_refresh(world, browser)
    secrets = [world.secret(kind) for kind in (LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD)]
    session_id, account_id = access.claims["sid"], access.claims["sub"]
    for token in (refresh.token(), *secrets, session_id, account_id, access.claims["jti"]):
        assert await as_bearer(nobody, token) == INVALID
        assert await as_cookie(nobody, token) == INVALID
    for token in (access.token(), *secrets, session_id, account_id):
        assert await as_refresh(nobody, token) == NO_REFRESH
    for token in (access.token(), refresh.token(), encode(session_id.encode())):
        assert (await nobody.get(f"/api/auth/verifyemail/{token}")).status_code == 403
        passwords = {"password": "correct horse", "passwordConfirm": "correct horse"}
        assert (await nobody.patch(f"/api/auth/resetpassword/{token}", json=passwords)).status_code == 403


async def test_the_claims_of_one_kind_in_the_header_of_the_other_open_nothing(
    world: World, browser: httpx.AsyncClient, nobody: httpx.AsyncClient
) -> None:
    """T4, R6: the claims of one kind in the header of the other open nothing."""
    access, refresh = good_access(world, browser), good_refresh(world, browser)
    for one, other in ((access, refresh), (refresh, access)):
        for header in (one.header, other.header, {**one.header, "typ": other.typ}, {**other.header, "typ": one.typ}):
            for signer in (one, other):
                token = compose(header, one.claims, signer.sign)
                right = header == one.header and signer is one
                assert ((await as_bearer(nobody, token))[0] == 200) is (right and one is access)
                if not (right and one is refresh):
                    assert await as_refresh(nobody, token) == NO_REFRESH


async def test_an_eight_megabyte_header_is_answered_at_once(nobody: httpx.AsyncClient) -> None:
    """T7: an eight megabyte header is answered at once."""
    token = "A" * 2**23 + ".AAAA.AAAA"
    spent, carried = [], []
    for _ in range(6):  # the first answer of a process pays for what the others find done
        start = time.thread_time()
        assert await as_bearer(nobody, token) == INVALID
        spent.append(time.thread_time() - start)
        start = time.thread_time()
        await nobody.get(ME, headers={"X-Nobody-Reads": f"Bearer {token}"})
        carried.append(time.thread_time() - start)
    assert min(spent) - min(carried) < 0.05  # what reading it costs, without carrying it there
