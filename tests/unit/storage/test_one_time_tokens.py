"""`model.one_time_tokens.OneTimeTokens`, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.storage import NOW, stored_account
from tests.unit.storage.test_passkeys import added, passkey
from vestibule.crypto.opaque import digest
from vestibule.model.accounts import Account
from vestibule.model.one_time_tokens import LIFETIMES, OneTimeToken, Purpose, issue, mailed_to
from vestibule.model.store import Store

RESET, VERIFY, UNDO = Purpose.RESET_PASSWORD, Purpose.VERIFY_EMAIL, Purpose.UNDO_EMAIL_CHANGE
INSTANT = timedelta(microseconds=1)


def token(account: Account, secret: str, purpose: Purpose = RESET) -> OneTimeToken:
    return issue(digest(secret), account, purpose, NOW)


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
    assert await added(store, passkey(ada))  # the link of a new factor is for one that is there
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
    grace = await stored_account(store, email="grace@example.com")
    await keep(store, token(ada, "to verify", VERIFY), token(grace, "hers"), token(ada, "older"), token(ada, "newer"))
    assert await consume(store, "to verify", VERIFY) == ada.id
    assert await consume(store, "hers") == grace.id


async def test_void_kills_every_token_of_one_account(store: Store, ada: Account) -> None:
    grace = await stored_account(store, email="grace@example.com")
    await keep(store, token(ada, "one"), token(ada, "two", VERIFY), token(grace, "hers"))
    async with store.transaction() as tx:
        await tx.one_time_tokens.void(ada.id)
    assert await consume(store, "one") is None
    assert await consume(store, "two", VERIFY) is None
    assert await consume(store, "hers") == grace.id


async def test_m1_a_token_verifies_the_email_it_was_mailed_to_and_no_later_one(store: Store, ada: Account) -> None:
    await keep(store, token(ada, "to reset"), token(ada, "to verify", VERIFY))
    async with store.transaction() as tx:
        assert await tx.accounts.change_email(ada.id, "countess@example.com", NOW) == ada.email
    assert await consume(store, "to reset") is None
    assert await consume(store, "to verify", VERIFY) is None


async def test_a_letter_that_went_out_twice_has_two_tokens_that_are_one(store: Store, ada: Account) -> None:
    twins = [replace(token(ada, secret), letter_id="a letter") for secret in ("first", "second")]
    await keep(store, *twins)
    assert await consume(store, "first") == ada.id
    assert await consume(store, "second") is None
    await keep(store, replace(token(ada, "other"), letter_id="another letter"))
    assert await consume(store, "other") == ada.id


def undo(account: Account, secret: str, email: str, minutes: int) -> OneTimeToken:
    """The way back from a change that was made so late."""
    made = issue(digest(secret), account, UNDO, NOW + timedelta(minutes=minutes))
    return mailed_to(made, email, secret)


async def test_undoing_a_change_undoes_later_ones_and_leaves_earlier_ones(store: Store, ada: Account) -> None:
    changes = [undo(ada, f"back to {n}", f"{n}@example.com", n) for n in range(3)]
    await keep(store, *changes)
    assert await consume(store, "back to 1", UNDO) == ada.id
    assert await consume(store, "back to 2", UNDO) is None
    assert await consume(store, "back to 0", UNDO) == ada.id


async def test_a_way_back_dies_only_if_that_is_said(store: Store, ada: Account) -> None:
    await keep(store, *(undo(ada, f"back to {n}", f"{n}@example.com", n) for n in range(3)), token(ada, "to reset"))
    async with store.transaction() as tx:
        await tx.one_time_tokens.void(ada.id)
    assert await consume(store, "to reset") is None
    async with store.transaction() as tx:
        await tx.one_time_tokens.void(ada.id, undo_since=NOW + timedelta(minutes=1))
    assert [await consume(store, f"back to {n}", UNDO) for n in (2, 1, 0)] == [None, None, ada.id]


async def test_o9_a_code_of_another_epoch_verifies_no_email(store: Store, ada: Account) -> None:
    """O9: also one that a mail worker writes down when the password has just been changed."""
    async with store.transaction() as tx:
        epoch = await tx.accounts.set_password(ada.id, "another hash", NOW)
    late, good = token(ada, "late", VERIFY), replace(token(ada, "good", VERIFY), epoch=epoch)
    assert late.epoch == ada.epoch != epoch
    await keep(store, late)
    assert await consume(store, "late", VERIFY) is None
    await keep(store, good)
    assert await consume(store, "good", VERIFY) == ada.id


async def test_o9_an_email_is_verified_in_the_epoch_of_its_code_alone(store: Store, ada: Account) -> None:
    """O9: the epoch that ends between spending the code and verifying the email, too."""
    async with store.transaction() as tx:
        epoch = await tx.accounts.set_password(ada.id, "another hash", NOW)
        assert not await tx.accounts.verify(ada.id, ada.email, NOW, ada.epoch)
        assert await tx.accounts.verify(ada.id, ada.email, NOW, epoch)
