"""I1: whatever hash is in one account's row, it is a wrong password there, and nothing to anybody else."""

import time
from datetime import datetime
from unittest.mock import patch

import argon2
import bcrypt
import pytest
from argon2.low_level import Type, hash_secret
from sqlalchemy import text

from tests.harness.backends import Backend
from tests.harness.hash_work import WORK, count_work, with_libsodium
from tests.harness.world import CHEAP, World, world_on
from tests.unit.crypto.kinds_of_hash import one_of_each
from tests.unit.crypto.test_hash_forms import ODD, PASSWORD, TYPED
from vestibule.crypto.entropy import new_id
from vestibule.crypto.hash_forms import Cost
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.model.accounts import Account, Role
from vestibule.storage.sql.hash_costs import HASH_COSTS

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
    begun = time.process_time()
    client = await world.client()
    for email in (*odd, "none@example.com", "nobody@example.com"):
        answer = await client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        assert (answer.status_code, answer.json()["message"]) == (400, "Invalid email or password"), email
    await world.sign_in("ada@example.com", PASSWORD)
    assert time.process_time() - begun < 60, "no hash of another cost was checked"


async def test_i1_the_work_for_nobody_is_that_of_the_dearest_hash_that_is_checked(world: World) -> None:
    async def highest() -> int | None:
        async with world.env.store.reading() as read:
            return (await read.accounts.hash_costs()).bcrypt

    await _fill(world, {f"odd{number}@example.com": made for number, made in enumerate(_STORABLE.values())})
    assert await highest() in {None, 4}, "neither cost 31 nor 15, nor a form that is not checked"
    await _fill(world, {"five@example.com": Hasher(Argon2id(), bcrypt_rounds=5).hash(PASSWORD)})
    assert await highest() == 5


async def test_i7_everybody_s_wrong_password_makes_up_for_an_argon2_hash_of_another_cost(world: World) -> None:
    """I7: for an account that has it, and for none; not for a cost that is never checked."""

    async def others() -> frozenset[Cost]:
        async with world.env.store.reading() as read:
            return (await read.accounts.hash_costs()).argon2

    await _fill(world, {f"odd{number}@example.com": made for number, made in enumerate(_STORABLE.values())})
    await _fill(world, {"ours@example.com": Hasher(Argon2id()).hash(PASSWORD)})
    assert max((cost.work for cost in await others()), default=0) <= 64
    dear = argon2.PasswordHasher(time_cost=3, memory_cost=4096, parallelism=1).hash(PASSWORD)
    await _fill(world, {"dear@example.com": dear, "bcrypt@example.com": Hasher(Argon2id(), 4).hash(PASSWORD)})
    assert Cost(4096, 3, 1) in await others()
    made_up: dict[str, int] = {}
    client, hasher = await world.client(), world.env.passwords._hasher
    for email in ("dear", "ours", "bcrypt", "odd3", "nobody"):
        with patch.object(hasher, "_do_work", lambda work, email=email: made_up.update({email: work})):
            await client.post("/api/auth/login", json={"email": f"{email}@example.com", "password": "wrong horse"})
    default = Argon2id().memory_kib * Argon2id().iterations
    most = max(4096 * 3, *(cost.work for cost in await others()))
    today = CHEAP.memory_kib * CHEAP.iterations
    assert made_up == {
        "dear": most - 4096 * 3,
        "ours": most - default,
        "bcrypt": most - today,
        "odd3": most - today,
        "nobody": most - today,
    }


async def test_i10_everybody_s_wrong_password_is_the_same_work_for_each_of_two_libraries(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I10: argon2i of our cost is argon2-cffi's while ours are libsodium's, and is made up for in every sign-in."""
    count_work(monkeypatch)
    form = hash_secret(b"another", bytes(16), 2, 19_456, 1, 32, Type.I).decode()
    async with world_on(backend, hasher=with_libsodium(Hasher(Argon2id()))) as world:
        rows = {"argon2i": form, "none": None, "bcrypt": Hasher(CHEAP, 5).hash("another"), "odd": "$argon2id$"}
        await _fill(world, {f"{name}@example.com": made for name, made in rows.items()})
        await world.register("ours@example.com")
        client, work = await world.client(), {}
        for name in (*rows, "ours", "nobody"):
            WORK.clear()
            body = {"email": f"{name}@example.com", "password": "wrong horse"}
            assert (await client.post("/api/auth/login", json=body)).status_code == 400
            work[name] = dict(WORK)
    same = {"libsodium": 2 * 19_456, "argon2-cffi": 2 * 19_456, "bcrypt": 32}
    assert {name: done for name, done in work.items() if done != same} == {}


async def test_i13_everybody_s_wrong_password_is_the_same_work_beside_hashes_of_every_kind(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I13: for an account with each kind and cost, with ours, without a hash, with a malformed one, and for none."""
    count_work(monkeypatch)
    rows: dict[str, str | None] = {
        f"k{number}-{costly}": stored
        for number, pair in enumerate(one_of_each("another").values())
        for costly, stored in enumerate(pair)
    }
    async with world_on(backend) as world:
        await _fill(world, {f"{name}@example.com": stored for name, stored in rows.items()})
        await _fill(world, {"none@example.com": None, "odd@example.com": "$pbkdf2-sha256$i=9999999$"})
        await world.register("ours@example.com")
        client, work = await world.client(), {}
        for name in (*rows, "ours", "none", "odd", "nobody"):
            WORK.clear()
            body = {"email": f"{name}@example.com", "password": "wrong horse"}
            assert (await client.post("/api/auth/login", json=body)).status_code == 400
            work[name] = dict(WORK)
    derived = {"pbkdf2-sha1": 1_000, "pbkdf2-sha256": 2_000, "pbkdf2-sha512": 3_000, "scrypt": 2_048}
    same = {"argon2-cffi": 512, "bcrypt": 64} | derived
    assert {name: done for name, done in work.items() if done != same} == {}


@pytest.mark.parametrize("kind", [kind for kind in one_of_each(PASSWORD) if kind != "Firebase scrypt"])
async def test_i2_whose_hash_is_of_another_kind_signs_in_and_has_ours_from_then_on(world: World, kind: str) -> None:
    """I2: of each kind; PostgreSQL and SQLite alike."""
    await _fill(world, {"zoe@example.com": one_of_each(PASSWORD)[kind][1]})
    await world.sign_in("zoe@example.com", PASSWORD)
    async with world.engines.sqlalchemy_reading() as connection:
        stored = (await connection.execute(text("SELECT password_hash FROM accounts"))).scalar_one()
    assert stored.startswith("$argon2id$")
    async with world.env.store.reading() as read:
        assert not (await read.accounts.hash_costs()).derived
    await world.sign_in("zoe@example.com", PASSWORD)


INTO = "INSERT INTO accounts (id, name, email, role, verified, created_at, updated_at, password_hash, photo, epoch)"
MANY = {
    "sqlite": f"""{INTO}
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        SELECT 'n' || i, 'N', 'n' || i || '@example.com', 'user', 1, '2026-01-01 00:00:00.000000',
            '2026-01-01 00:00:00.000000', :made || i, 'default.png', 0 FROM n""",
    "postgresql": f"""{INTO}
        SELECT 'n' || i, 'N', 'n' || i || '@example.com', 'user', true, now(), now(), CAST(:made AS text) || i,
            'default.png', 0 FROM generate_series(1, 100000) AS i""",
}
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


async def test_i7_of_a_hundred_thousand_accounts_the_few_odd_ones_are_found_by_an_index(world: World) -> None:
    """I7, I1: by the question that each wrong password asks."""
    dialect = world.engines.dialect
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text(MANY[dialect]), {"made": Hasher(Argon2id()).decoy[:-8]})
        await connection.execute(text("ANALYZE accounts"))
        asked = HASH_COSTS.statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        plan = str((await connection.exec_driver_sql(f"{EXPLAIN[dialect]} {asked}")).all())
    assert plan.count("accounts_by_hash_cost") == (2 if dialect == "sqlite" else 1), plan  # SubPlan 1 is not told
    assert "SCAN accounts" not in plan.replace("SCAN accounts USING INDEX", "")
    assert "Seq Scan on accounts" not in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


async def test_i2_who_typed_it_so_elsewhere_signs_in_and_then_either_way(world: World) -> None:
    elsewhere = bcrypt.hashpw(TYPED.encode(), bcrypt.gensalt(4)).decode()
    await _fill(world, {"zoe@example.com": elsewhere})
    await world.sign_in("zoe@example.com", TYPED)
    await world.sign_in("zoe@example.com", "caf\u00e9 au lait")
