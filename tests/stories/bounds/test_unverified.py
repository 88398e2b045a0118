"""Accounts that nobody ever verified or used: they go in time, if the operator says so, and nobody else does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import String, cast, literal, update

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.bounds import count, fill, number_as_id, numbers
from tests.unit.flows import verify
from vestibule.flows.clean_up import clean_up
from vestibule.flows.delete_account import delete_if_unused
from vestibule.flows.find_people import find_account
from vestibule.model.letters import LetterKind
from vestibule.model.retention import Retention
from vestibule.storage.sql.schema import accounts, events

A_MONTH = replace(POLICY, retention=Retention(unverified=timedelta(days=30), sessions=timedelta(days=1)))
ADA = "ada@example.com"
BATCH, MANY = 20, 47  # two batches, and some of a third


async def gone(world: World) -> int:
    return (await clean_up(world.env))["unverified_accounts"]


async def test_n9_who_never_verified_goes_in_time_with_what_happened(backend: Backend) -> None:
    async with world_on(backend, A_MONTH) as world:
        await world.register()
        await (await world.client()).post("/api/auth/login", json={"email": ADA, "password": "wrong horse"})
        world.clock.advance(days=29)
        assert await gone(world) == 0
        world.clock.advance(days=1, seconds=1)
        assert await gone(world) == 1
        assert await count(world, accounts) == 0
        assert await count(world, events, events.c.account_id.is_not(None)) == 0
        await world.register()


async def test_n9_who_verified_or_signed_in_or_is_an_admin_or_was_imported_stays(backend: Backend) -> None:
    async with world_on(backend, A_MONTH) as world:
        names = ("verified", "used", "admin", "imported", "without", "disabled", "changed")
        for name in names:
            await world.register(f"{name}@example.com")
            if name == "verified":
                assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
        await (await world.sign_in("used@example.com")).post("/api/auth/logout")
        kept = {
            "admin": {"role": "admin"},
            "imported": {"imported_at": world.clock.now()},
            "without": {"password_hash": None},
            "disabled": {"disabled_at": world.clock.now()},
            "changed": {"epoch": 1},
        }
        async with world.engines.sqlalchemy_transaction() as connection:
            for name, values in kept.items():
                its = accounts.c.email == f"{name}@example.com"
                await connection.execute(update(accounts).where(its).values(**values))
        world.clock.advance(days=400)
        assert await gone(world) == 0
        assert await count(world, accounts) == len(names)


async def test_n9_who_signs_in_just_before_it_goes_stays(backend: Backend) -> None:
    """N9: that it was never used is asked again, where it is deleted."""
    async with world_on(backend, A_MONTH) as world:
        await world.register()
        account = await find_account(world.env, ADA)
        assert account is not None
        world.clock.advance(days=31)
        await world.sign_in(ADA)
        assert not await delete_if_unused(world.env, account, world.clock.now())
        assert await count(world, accounts) == 1


async def test_n9_many_go_in_batches_and_none_where_nobody_says_so(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "vestibule.flows.clean_up.ROWS_IN_BATCH", BATCH
    )  # each is deleted by itself, and many take long
    async with world_on(backend, A_MONTH) as world:
        n, at = numbers(MANY), world.clock.now()
        row = {"name": "x", "role": "user", "verified": False, "password_hash": "$argon2id$x", "photo": "", "epoch": 0}
        email = cast(n.c.i, String) + literal("@example.com")
        moments = {"created_at": at, "updated_at": at}
        await fill(world, accounts, MANY, {"id": number_as_id(n), "email": email} | row | moments, n)
        world.clock.advance(days=31)
        async with world_on(backend, POLICY) as other:
            other.clock.advance(days=31)
            assert await gone(other) == 0
        assert await gone(world) == MANY
