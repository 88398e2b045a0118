"""`model.accounts.Accounts`, on both databases."""

from datetime import timedelta

import pytest

from tests.unit.storage import NOW, an_account, stored_account
from vestibule.model.accounts import Account, Role
from vestibule.model.store import Store

LATER = NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    "account",
    [
        an_account(),
        an_account(password_hash=None, provider="a provider", photo="me.png", verified=True, role=Role.ADMIN),
        an_account(disabled_at=LATER, epoch=3, name="Ångström 李 😀 'Å'", updated_at=NOW + timedelta(microseconds=1)),
    ],
    ids=["ordinary", "imported", "disabled"],
)
async def test_an_account_comes_back_as_it_was_added(store: Store, account: Account) -> None:
    async with store.transaction() as tx:
        assert await tx.accounts.add(account)
    async with store.reading() as read:
        assert await read.accounts.get(account.id) == account
        assert await read.accounts.with_email(account.email) == account


async def test_who_is_not_there_is_none(store: Store) -> None:
    await stored_account(store)
    async with store.reading() as read:
        assert await read.accounts.get(an_account().id) is None
        assert await read.accounts.with_email("grace@example.com") is None


async def test_a_taken_email_changes_nothing(store: Store) -> None:
    first = await stored_account(store)
    second = an_account(name="Somebody else", email=first.email)
    async with store.transaction() as tx:
        assert not await tx.accounts.add(second)
        assert await tx.accounts.with_email(first.email) == first
        assert await tx.accounts.get(second.id) is None


async def test_of_many_those_are_added_whose_id_and_email_are_free(store: Store) -> None:
    there = await stored_account(store)
    free = an_account(email="grace@example.com")
    batch = [
        an_account(id=there.id, email="other@example.com"),
        an_account(email=there.email),
        free,
        an_account(email=free.email),
    ]
    async with store.transaction() as tx:
        assert len(await tx.accounts.add_missing(batch)) == 1
        assert await tx.accounts.add_missing(batch) == set()
        assert await tx.accounts.add_missing([]) == set()
        assert await tx.accounts.get(there.id) == there
        assert await tx.accounts.with_email(free.email) == free
        assert await tx.accounts.with_email("other@example.com") is None


async def test_a_large_batch_is_added_at_once(store: Store) -> None:
    batch = [an_account(email=f"person{number}@example.com") for number in range(500)]
    async with store.transaction() as tx:
        assert len(await tx.accounts.add_missing(batch)) == 500


async def test_verify_marks_the_email_that_was_verified(store: Store) -> None:
    account = await stored_account(store)
    other = await stored_account(store, email="grace@example.com")
    async with store.transaction() as tx:
        assert await tx.accounts.verify(account.id, account.email, LATER)
        verified = await tx.accounts.get(account.id)
        assert verified is not None
        assert (verified.verified, verified.updated_at) == (True, LATER)
        assert await tx.accounts.get(other.id) == other


async def test_verify_refuses_an_email_that_is_no_longer_the_accounts(store: Store) -> None:
    account = await stored_account(store)
    async with store.transaction() as tx:
        assert not await tx.accounts.verify(account.id, "former@example.com", LATER)
        assert not await tx.accounts.verify(an_account().id, account.email, LATER)
        assert await tx.accounts.get(account.id) == account


async def test_a_new_password_begins_a_new_epoch(store: Store) -> None:
    account = await stored_account(store, epoch=7)
    other = await stored_account(store, email="grace@example.com")
    async with store.transaction() as tx:
        await tx.accounts.set_password(account.id, "another hash", LATER)
        changed = await tx.accounts.get(account.id)
        assert changed is not None
        assert (changed.password_hash, changed.epoch, changed.updated_at) == ("another hash", 8, LATER)
        assert await tx.accounts.get(other.id) == other


@pytest.mark.parametrize(("old", "left"), [("a hash", "renewed"), ("no longer there", "a hash")])
async def test_a_hash_is_renewed_only_in_the_place_of_the_old_one(store: Store, old: str, left: str) -> None:
    account = await stored_account(store)
    async with store.transaction() as tx:
        await tx.accounts.replace_hash(account.id, old, "renewed")
        found = await tx.accounts.get(account.id)
        assert found is not None
        assert (found.password_hash, found.epoch) == (left, account.epoch)
