"""I1: whatever hash is in one account's row, it is a wrong password there, and nothing to anybody else."""

import time
from datetime import datetime

import bcrypt

from tests.crypto.test_hash_forms import ODD, PASSWORD, TYPED
from tests.harness.world import World
from vestibule.crypto.entropy import new_id
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.model.accounts import Account, Role

_CHEAP = Hasher(Argon2id(memory_kib=64, iterations=1))
# What PostgreSQL's text cannot hold, and SQLite's driver cannot send.
_STORABLE = {name: stored for name, stored in ODD.items() if "\0" not in stored and name != "a lone surrogate"}


def _account(email: str, password_hash: str | None, now: datetime) -> Account:
    return Account(new_id(), "Ada", email, Role.USER, True, now, now, password_hash)


async def _fill(world: World, hashes: dict[str, str | None]) -> None:
    now = world.clock.now()
    async with world.env.store.transaction() as tx:
        await tx.accounts.add_missing([_account(email, made, now) for email, made in hashes.items()])


async def test_i1_no_row_reaches_another_account_s_sign_in(world: World) -> None:
    odd: dict[str, str | None] = {f"odd{number}@example.com": made for number, made in enumerate(_STORABLE.values())}
    others = {"none@example.com": None, "ada@example.com": _CHEAP.hash(PASSWORD)}
    await _fill(world, {**odd, **others})
    begun = time.monotonic()
    client = await world.client()
    for email in (*odd, "none@example.com", "nobody@example.com"):
        answer = await client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        assert (answer.status_code, answer.json()["message"]) == (400, "Invalid email or password"), email
    await world.sign_in("ada@example.com", PASSWORD)
    assert time.monotonic() - begun < 60, "no hash of another cost was checked"


async def test_i1_the_work_for_nobody_is_that_of_the_dearest_hash_that_is_checked(world: World) -> None:
    async def dearest() -> int | None:
        async with world.env.store.reading() as read:
            return await read.accounts.dearest_bcrypt()

    await _fill(world, {f"odd{number}@example.com": made for number, made in enumerate(_STORABLE.values())})
    assert await dearest() in {None, 4}, "neither cost 31 nor 15, nor a form that is not checked"
    await _fill(world, {"five@example.com": Hasher(Argon2id(), bcrypt_rounds=5).hash(PASSWORD)})
    assert await dearest() == 5


async def test_i2_who_typed_it_so_elsewhere_signs_in_and_then_either_way(world: World) -> None:
    elsewhere = bcrypt.hashpw(TYPED.encode(), bcrypt.gensalt(4)).decode()
    await _fill(world, {"zoe@example.com": elsewhere})
    await world.sign_in("zoe@example.com", TYPED)
    await world.sign_in("zoe@example.com", "caf\u00e9 au lait")
