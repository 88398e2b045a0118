"""The ports of second factors: each step and each code once, whoever comes at the same moment."""

import asyncio
from datetime import timedelta

from tests.unit.storage import NOW, stored_account
from vestibule.crypto.entropy import new_id
from vestibule.model.accounts import Account
from vestibule.model.factors import AccountFactors, FactorKind
from vestibule.model.pending_sign_ins import LIFETIME, OF_ACCOUNT, PendingSignIn
from vestibule.model.store import Store
from vestibule.model.totp import Totp

AT_ONCE = 64
STEP = 58_000_000
LATER = NOW + timedelta(hours=1)


async def stored_totp(store: Store, account: Account, *, confirmed: bool = True) -> Totp:
    totp = Totp(new_id(), account.id, "sealed", NOW)
    async with store.transaction() as tx:
        await tx.totps.add(totp, NOW)
        if confirmed:
            assert await tx.totps.confirm(totp, STEP, NOW)
    return totp


def pending(account: Account, number: int = 0, origin: str | None = None) -> PendingSignIn:
    at = NOW + timedelta(seconds=number)
    ends_at, digest = at + LIFETIME, f"{number:064}"
    return PendingSignIn(digest, account.id, account.epoch, ("pwd",), ("others:1",), at, ends_at, origin=origin)


async def test_f1_of_sixty_four_uses_of_one_step_one_is_accepted(store: Store) -> None:
    """F1: and no earlier step after it."""
    totp = await stored_totp(store, await stored_account(store))

    async def use(step: int) -> bool:
        async with store.transaction() as tx:
            return await tx.totps.accept(totp.id, step, NOW)

    assert sum(await asyncio.gather(*(use(STEP + 2) for _ in range(AT_ONCE)))) == 1
    assert [await use(step) for step in (STEP, STEP + 1, STEP + 2, STEP + 3)] == [False, False, False, True]


async def test_f1_the_step_that_confirmed_an_app_is_used(store: Store) -> None:
    totp = await stored_totp(store, await stored_account(store))
    async with store.transaction() as tx:
        assert not await tx.totps.accept(totp.id, STEP, NOW)


async def test_f1_an_app_that_is_not_confirmed_accepts_nothing(store: Store) -> None:
    account = await stored_account(store)
    totp = await stored_totp(store, account, confirmed=False)
    async with store.transaction() as tx:
        assert not await tx.totps.accept(totp.id, STEP, NOW)
        assert not (await tx.factors.of(account.id)).needed


async def test_f5_of_sixty_four_uses_of_one_code_one_is_accepted(store: Store) -> None:
    account = await stored_account(store)
    async with store.transaction() as tx:
        await tx.recovery_codes.replace(account.id, [f"hash {number}" for number in range(10)], NOW)

    async def use(number: int, code_hash: str) -> bool:
        async with store.transaction() as tx:
            return await tx.recovery_codes.spend(account.id, number, code_hash, NOW)

    assert not await use(3, "hash 4")
    assert sum(await asyncio.gather(*(use(3, "hash 3") for _ in range(AT_ONCE)))) == 1
    async with store.reading() as read:
        assert [await read.recovery_codes.unused(account.id, number) for number in (3, 4)] == [None, "hash 4"]
        assert (await read.factors.of(account.id)).recovery_codes_left == 9


async def test_clearing_since_a_moment_leaves_what_was_there_before(store: Store) -> None:
    account = await stored_account(store)
    await stored_totp(store, account)
    async with store.transaction() as tx:
        await tx.recovery_codes.replace(account.id, ["hash"], NOW)
        await tx.totps.add(Totp(new_id(), account.id, "sealed", NOW), NOW)
        assert await tx.factors.clear(account.id, LATER) == [], "the one that was not confirmed counts for nothing"
        assert await tx.factors.of(account.id) == AccountFactors(totp=True, recovery_codes_left=1)
        assert await tx.factors.clear(account.id, NOW) == [FactorKind.TOTP, FactorKind.RECOVERY_CODE]
        assert await tx.factors.of(account.id) == AccountFactors()


def test_codes_alone_are_no_factor() -> None:
    assert AccountFactors(recovery_codes_left=10).kinds == ()
    assert AccountFactors(totp=True).kinds == (FactorKind.TOTP,)
    assert AccountFactors(passkeys=1, recovery_codes_left=1).kinds == (FactorKind.PASSKEY, FactorKind.RECOVERY_CODE)


async def test_f6_a_pending_sign_in_ends_once(store: Store) -> None:
    account = await stored_account(store)
    async with store.transaction() as tx:
        assert await tx.pending_sign_ins.add(pending(account))

    async def consume() -> bool:
        async with store.transaction() as tx:
            return await tx.pending_sign_ins.consume(pending(account).digest, NOW)

    async with store.reading() as read:
        assert await read.pending_sign_ins.find(pending(account).digest, NOW) == pending(account)
        assert await read.pending_sign_ins.find(pending(account).digest, NOW + LIFETIME) is None
    assert sum(await asyncio.gather(*(consume() for _ in range(AT_ONCE)))) == 1


async def test_f6_it_ends_with_the_epoch_and_with_the_account(store: Store) -> None:
    account = await stored_account(store)
    async with store.transaction() as tx:
        assert await tx.pending_sign_ins.add(pending(account))
        await tx.accounts.disable(account.id, None, NOW)
        assert await tx.pending_sign_ins.find(pending(account).digest, NOW) is None
        await tx.accounts.enable(account.id, NOW)
        assert not await tx.pending_sign_ins.consume(pending(account).digest, NOW)
        assert not await tx.pending_sign_ins.add(pending(account, 1)), "its password was checked in an earlier epoch"


async def test_f6_one_that_was_just_added_stays_whatever_the_clocks_of_others_say(store: Store) -> None:
    account = await stored_account(store)
    async with store.transaction() as tx:
        for number in reversed(range(2 * OF_ACCOUNT)):
            assert await tx.pending_sign_ins.add(pending(account, number))
            assert await tx.pending_sign_ins.consume(pending(account, number).digest, NOW + timedelta(seconds=number))
            assert await tx.pending_sign_ins.add(pending(account, number))


async def test_n12_an_account_has_ten_and_the_oldest_go(store: Store) -> None:
    account = await stored_account(store)
    async with store.transaction() as tx:
        for number in range(2 * OF_ACCOUNT):
            assert await tx.pending_sign_ins.add(pending(account, number))
        now = NOW + timedelta(seconds=OF_ACCOUNT)
        left = [await tx.pending_sign_ins.find(f"{n:064}", now) is not None for n in range(2 * OF_ACCOUNT)]
        assert left == [False] * OF_ACCOUNT + [True] * OF_ACCOUNT
        assert await tx.pending_sign_ins.purge(NOW + LIFETIME + timedelta(hours=1), 5) == 5
