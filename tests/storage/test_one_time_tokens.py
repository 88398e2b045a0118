"""`model.store.OneTimeTokens`, on both databases."""

from datetime import timedelta

import pytest

from tests.harness.world import World
from tests.storage import NOW, stored_account
from vestibule.crypto.opaque import digest
from vestibule.model.accounts import Account
from vestibule.model.one_time_tokens import LIFETIMES, OneTimeToken, Purpose, issue
from vestibule.model.store import Store

RESET, VERIFY = Purpose.RESET_PASSWORD, Purpose.VERIFY_ADDRESS
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def store(world: World) -> Store:
    return world.env.store


@pytest.fixture
async def ada(store: Store) -> Account:
    return await stored_account(store)


def token(account: Account, secret: str, purpose: Purpose = RESET) -> OneTimeToken:
    return issue(digest(secret), account.id, purpose, account.address, NOW)


async def keep(store: Store, *tokens: OneTimeToken) -> None:
    async with store.transaction() as tx:
        for each in tokens:
            await tx.one_time_tokens.replace(each)


async def consume(store: Store, secret: str, purpose: Purpose = RESET, late: timedelta = INSTANT) -> str | None:
    """The account that the secret was for, spending it so long after it was made."""
    async with store.transaction() as tx:
        spent = await tx.one_time_tokens.consume(digest(secret), purpose, NOW + late)
    return spent.account_id if spent else None


async def test_a_token_is_spent_once_and_comes_back_as_it_was_kept(store: Store, ada: Account) -> None:
    kept = token(ada, "secret")
    await keep(store, kept)
    async with store.transaction() as tx:
        assert await tx.one_time_tokens.consume(kept.digest, RESET, NOW) == kept
        assert await tx.one_time_tokens.consume(kept.digest, RESET, NOW) is None
    assert await consume(store, "secret") is None


async def test_an_unknown_token_is_none(store: Store, ada: Account) -> None:
    await keep(store, token(ada, "secret"))
    assert await consume(store, "another secret") is None
    assert await consume(store, "secret") == ada.id


@pytest.mark.parametrize(("made_for", "tried_for"), [(VERIFY, RESET), (RESET, VERIFY)])
async def test_the_wrong_purpose_spends_nothing(
    store: Store, ada: Account, made_for: Purpose, tried_for: Purpose
) -> None:
    await keep(store, token(ada, "secret", made_for))
    assert await consume(store, "secret", tried_for) is None
    assert await consume(store, "secret", made_for) == ada.id


@pytest.mark.parametrize("purpose", Purpose)
async def test_a_token_is_good_until_it_expires(store: Store, ada: Account, purpose: Purpose) -> None:
    life = LIFETIMES[purpose]
    await keep(store, token(ada, "secret", purpose))
    assert await consume(store, "secret", purpose, life) is None
    assert await consume(store, "secret", purpose, life - INSTANT) == ada.id


async def test_a_newer_token_kills_the_older(store: Store, ada: Account) -> None:
    await keep(store, token(ada, "older"), token(ada, "newer"))
    assert await consume(store, "older") is None
    assert await consume(store, "newer") == ada.id


async def test_a_newer_token_is_good_although_the_older_was_spent(store: Store, ada: Account) -> None:
    await keep(store, token(ada, "older"))
    assert await consume(store, "older") == ada.id
    await keep(store, token(ada, "newer"))
    assert await consume(store, "older") is None
    assert await consume(store, "newer") == ada.id


async def test_another_purpose_and_another_account_are_left_alone(store: Store, ada: Account) -> None:
    grace = await stored_account(store, address="grace@example.com")
    await keep(store, token(ada, "to verify", VERIFY), token(grace, "hers"), token(ada, "older"), token(ada, "newer"))
    assert await consume(store, "to verify", VERIFY) == ada.id
    assert await consume(store, "hers") == grace.id


async def test_void_kills_every_token_of_one_account(store: Store, ada: Account) -> None:
    grace = await stored_account(store, address="grace@example.com")
    await keep(store, token(ada, "one"), token(ada, "two", VERIFY), token(grace, "hers"))
    async with store.transaction() as tx:
        await tx.one_time_tokens.void(ada.id)
    assert await consume(store, "one") is None
    assert await consume(store, "two", VERIFY) is None
    assert await consume(store, "hers") == grace.id
