"""E7: an account that somebody used, or that came from elsewhere, is theirs, whatever of it is forgotten."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from tests.harness.backends import Backend
from tests.harness.world import CHEAP, POLICY, World, world_on
from tests.unit.flows import EMAIL, PASSWORD
from tests.unit.flows.test_import_makes_room import bring, row
from vestibule.crypto.passwords import Hasher
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.clean_up import clean_up
from vestibule.flows.find_people import find_account
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.retention import Retention
from vestibule.storage.sql.schema import accounts, known_devices, sessions

THEIRS = "the stranger's horse"
PURGING = replace(POLICY, retention=Retention(unverified=timedelta(days=30), sessions=timedelta(days=1)))
BCRYPT = Hasher(CHEAP, bcrypt_rounds=4)

Way = Callable[[World], Awaitable[None]]


async def nothing(_world: World) -> None:
    """Registered, and that is all."""


async def change(world: World, **values: Any) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(update(accounts).values(**values))


async def sign_in(world: World) -> None:
    await (await world.sign_in()).post("/api/auth/logout")


async def sign_in_once_more(world: World) -> None:
    await sign_in(world)
    await sign_in(world)


async def shut_and_open(world: World) -> None:
    there = await find_account(world.env, EMAIL)
    assert there is not None
    await disable_account(world.env, COMMAND_LINE, there)
    await enable_account(world.env, COMMAND_LINE, there)


async def change_password(world: World) -> None:
    new = {"currentPassword": PASSWORD, "password": "another horse", "passwordConfirm": "another horse"}
    assert (await (await world.sign_in()).patch("/api/users/me/password", json=new)).status_code == 200


async def old_server_opened_it(world: World) -> None:
    """A server of before the columns disabled and enabled it."""
    await change(world, epoch=accounts.c.epoch + 2)


async def imported(world: World, password: str | None, provider: str | None) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(delete(accounts))
    her = replace(row("legacy", EMAIL, "false"), password=password, provider=provider)
    assert (await bring(world, [her]))[0].imported == 1


async def import_argon2(world: World) -> None:
    await imported(world, await world.env.passwords.hash(PASSWORD), "local")


async def import_plain(world: World) -> None:
    await imported(world, await world.env.passwords.hash(PASSWORD), None)


async def import_bcrypt(world: World) -> None:
    await imported(world, "$2b$10$" + "u" * 53, None)


async def import_without_password(world: World) -> None:
    await imported(world, None, "google")


async def registered_anew_and_used(world: World) -> None:
    assert await register(world, PASSWORD) == 201
    await sign_in(world)


SOMEBODYS: dict[str, Way] = {
    "signed in": sign_in,
    "signed in twice": sign_in_once_more,
    "disabled and enabled": shut_and_open,
    "password changed": change_password,
    "an old server opened it": old_server_opened_it,
    "imported argon2": import_argon2,
    "imported, no provider named": import_plain,
    "imported bcrypt": import_bcrypt,
    "imported without a password": import_without_password,
    "registered anew and used": registered_anew_and_used,
    "an administrator": lambda world: change(world, role="admin"),
    "disabled": lambda world: change(world, disabled_at=accounts.c.created_at),
    "verified": lambda world: change(world, verified=True),
}


async def register_again(world: World) -> None:
    await register(world, "the owner's horse")


NOBODYS: dict[str, Way] = {"registered": nothing, "registered anew": register_again}


async def register(world: World, password: str) -> int:
    world.clock.advance(days=1)
    body = {"name": "Mallory", "email": EMAIL, "password": password, "passwordConfirm": password}
    return (await (await world.client()).post("/api/auth/register", json=body)).status_code


async def purge(world: World) -> int:
    world.clock.advance(days=400)
    return (await clean_up(world.env))["unverified_accounts"]


async def ask_for_reset(world: World) -> None:
    """All that does not have to be kept."""
    world.clock.advance(days=400)
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(delete(sessions))
        await connection.execute(delete(known_devices))


async def stored(world: World) -> tuple[str, str, str | None]:
    columns = (accounts.c.id, accounts.c.name, accounts.c.password_hash)
    async with world.engines.sqlalchemy_reading() as connection:
        found = (await connection.execute(select(*columns))).one()
    return found.id, found.name, found.password_hash


@pytest.mark.parametrize("hasher", [None, BCRYPT], ids=["argon2", "bcrypt"])
@pytest.mark.parametrize("way", SOMEBODYS)
async def test_e7_what_is_somebodys_is_neither_registered_anew_nor_deleted(
    backend: Backend, way: str, hasher: Hasher | None
) -> None:
    """E7: whatever the server's own hashes look like, and also where it does not tell."""
    async with world_on(backend, PURGING, hasher=hasher) as world:
        await world.register()
        await SOMEBODYS[way](world)
        await ask_for_reset(world)
        before = await stored(world)
        assert await register(world, THEIRS) == 409
        async with world_on(backend, replace(PURGING, conceal_accounts=True), clock=world.clock) as concealing:
            assert await register(concealing, THEIRS) == 201
        assert await purge(world) == 0
        assert await stored(world) == before


@pytest.mark.parametrize("hasher", [None, BCRYPT], ids=["argon2", "bcrypt"])
@pytest.mark.parametrize("way", NOBODYS)
async def test_e7_what_is_nobodys_is_registered_anew_and_goes_in_time(
    backend: Backend, way: str, hasher: Hasher | None
) -> None:
    """E7: as often as somebody does."""
    async with world_on(backend, PURGING, hasher=hasher) as world:
        await world.register()
        await NOBODYS[way](world)
        before = await stored(world)
        assert await register(world, THEIRS) == 201
        after = await stored(world)
        assert (after[0], after[2] == before[2]) == (before[0], False)
        assert await purge(world) == 1


async def test_e7_only_the_first_sign_in_costs_a_statement_more(world: World) -> None:
    await world.register()
    await sign_in(world)
    async with world.engines.sqlalchemy_reading() as connection:
        first = (await connection.execute(select(accounts.c.first_used_at))).scalar_one()
    assert first == world.clock.now()
    world.clock.advance(days=1)
    await sign_in(world)
    async with world.engines.sqlalchemy_reading() as connection:
        assert (await connection.execute(select(accounts.c.first_used_at))).scalar_one() == first


@pytest.mark.parametrize("sign", [sessions, known_devices], ids=["session", "device"])
async def test_e7_an_old_server_beside_this_one_leaves_signs_enough(world: World, sign: Any) -> None:
    """E7: it opens a session and knows a device, and notes no use."""
    await world.register()
    await world.sign_in()
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(delete(known_devices if sign is sessions else sessions))
        await connection.execute(update(accounts).values(first_used_at=None))
    assert await register(world, THEIRS) == 409
