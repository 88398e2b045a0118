"""What a password may be, how it is kept, and that hashing stays within its bounds."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from tests.harness import dump
from tests.harness.backends import Backend
from tests.harness.process import given_keys, serving
from tests.harness.world import CHEAP, POLICY, World, world_on
from vestibule.crypto.entropy import new_id
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account, Role
from vestibule.model.letters import LetterKind
from vestibule.model.passwords import PasswordRules

ADA = "ada@example.com"
EIGHT_EMOJI = "🔐" * 8
HARDENED = replace(POLICY, passwords=PasswordRules(min_length=15))
CANARY = "CANARY-5f1d8c20"
LOGINS, THREADS, HASH_MIB = 500, 2, 19


def person(password: str, email: str = ADA) -> dict[str, str]:
    return {"name": "Ada Lovelace", "email": email, "password": password, "passwordConfirm": password}


async def stored_hash(world: World, email: str = ADA) -> str:
    account = await find_account(world.env, email)
    assert account is not None
    assert account.password_hash is not None
    return account.password_hash


@pytest.mark.parametrize(("shortest", "policy"), [(8, POLICY), (15, HARDENED)])
async def test_p1_length_is_counted_in_code_points(backend: Backend, shortest: int, policy: object) -> None:
    """P1: one fewer is refused, and as many are taken, emoji too; the hardened minimum likewise."""
    async with world_on(backend, policy) as world:
        client = await world.client()
        for number, character in enumerate("x🔐é"):
            email = f"ada{number}@example.com"
            too_short = await client.post("/api/auth/register", json=person(character * (shortest - 1), email))
            assert too_short.status_code == 400
            assert too_short.json()["errors"][0]["minimum"] == shortest
            assert (await client.post("/api/auth/register", json=person(character * shortest, email))).is_success


async def test_p2_long_ones_count_to_their_end_and_too_long_ones_are_refused(world: World) -> None:
    """P2: 64 and 128 code points are taken, 129 and a megabyte are not; the tail after 72 bytes counts."""
    client = await world.client()
    for length in (64, 128):
        email, password = f"ada{length}@example.com", "x" * length
        assert (await client.post("/api/auth/register", json=person(password, email))).status_code == 201
        other = {"email": email, "password": password[:-1] + "y"}
        assert (await client.post("/api/auth/login", json=other)).status_code == 400
        await world.sign_in(email, password)
    assert (await client.post("/api/auth/register", json=person("x" * 129))).status_code == 400
    assert (await client.post("/api/auth/register", json=person("x" * 1_000_000))).status_code == 413


async def test_p2_the_tail_of_an_imported_password_counts_from_the_first_sign_in(world: World) -> None:
    """P2: bcrypt can tell 72 bytes apart; the first sign-in replaces its hash."""
    password = "x" * 72 + "tail"
    await imported(world, Hasher(CHEAP, bcrypt_rounds=4).hash(password))
    await world.sign_in(password=password)
    other = await (await world.client()).post("/api/auth/login", json={"email": ADA, "password": "x" * 72 + "liat"})
    assert other.status_code == 400


async def test_p4_two_keyboards_write_one_password(world: World) -> None:
    """P4: set with U+00E9, typed as e and U+0301."""
    await world.register(password="caf\u00e9 au lait")
    await world.sign_in(password="cafe\u0301 au lait")


async def test_p5_what_is_stored_is_argon2id_at_owasps_cost(backend: Backend) -> None:
    """P5: read from the database. The cost is no setting, so that nobody can weaken it."""
    async with world_on(backend, hasher=Hasher(Argon2id())) as world:
        await world.register()
        assert re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", await stored_hash(world))


async def test_p6_a_hash_from_elsewhere_is_made_anew_with_a_salt_of_its_own(world: World) -> None:
    """P6: a bcrypt user signs in and has argon2id; two users with one password have different hashes."""
    await imported(world, Hasher(CHEAP, bcrypt_rounds=4).hash("correct horse"))
    await world.sign_in()
    renewed = await stored_hash(world)
    assert renewed.startswith(f"$argon2id$v=19$m={CHEAP.memory_kib},t={CHEAP.iterations},p=1$")
    await world.register("bob@example.com")
    other = await stored_hash(world, "bob@example.com")
    assert other.split("$")[4] != renewed.split("$")[4]
    assert len(other.split("$")[4]) >= 22  # 128 bits in base64


async def test_p9_a_change_needs_the_current_one_and_a_reset_its_token(world: World) -> None:
    """P9: neither sets a password that registering would refuse."""
    await world.register()
    client = await world.sign_in()
    short = {"password": "short", "passwordConfirm": "short"}
    good = {"password": "battery staple", "passwordConfirm": "battery staple"}
    change, reset = "/api/users/me/password", "/api/auth/resetpassword"
    assert (await client.patch(change, json=good)).status_code == 400
    assert (await client.patch(change, json={"currentPassword": "wrong horse", **good})).status_code == 403
    assert (await client.patch(change, json={"currentPassword": "correct horse", **short})).status_code == 400
    assert (await client.patch(f"{reset}/{'0' * 64}", json=good)).status_code == 403
    await client.post("/api/auth/forgotpassword", json={"email": ADA})
    await world.deliver()
    token = world.secret(LetterKind.RESET_PASSWORD)
    assert (await client.patch(f"{reset}/{token}", json=short)).status_code == 400
    assert (await client.patch(f"{reset}/{token}", json=good)).status_code == 200
    await world.sign_in(password="battery staple")


HINT_OF_DOCTOR = '["fine", "hint", "warning", "fault"]'


async def test_p10_no_password_expires_and_nobody_asks_for_hints(world: World) -> None:
    """P10: 400 days later it still signs in and nothing more is asked; the API has no word for a hint, but in the
    doctor's findings.
    """
    await world.register()
    world.clock.advance(days=400)
    await world.sign_in()
    document = json.dumps((await (await world.client()).get("/openapi.json")).json()).lower()
    document = document.replace(HINT_OF_DOCTOR, "")
    assert [word for word in ("hint", "question", "mother", "expire_password") if word in document] == []


async def test_p11_the_fields_of_the_page_are_a_password_manager_s(world: World) -> None:
    """P11: the type, the name that password managers look for, and nothing that hinders pasting."""
    page = (await (await world.client()).get("/register")).text
    fields = [field for field in re.findall(r"<input [^>]*>", page) if 'name="password' in field]
    assert len(fields) == 1
    for field in fields:
        assert 'type="password"' in field
        assert 'autocomplete="new-password"' in field
        assert "onpaste" not in field
        assert "maxlength" not in field


async def test_p13_no_password_is_anywhere_it_was_not_asked_for(world: World) -> None:
    """P13: a canary goes every way a password can; no answer, no line of the log and no row has it, nor any hash."""
    passwords = [f"{CANARY}-{number}" for number in range(4)]
    with capture_logs() as logs:
        client = await world.client()
        answers = [await client.post("/api/auth/register", json=person(passwords[0]))]
        answers += [
            await client.post("/api/auth/login", json={"email": email, "password": password})
            for email in (ADA, "nobody@example.com", "no address")
            for password in passwords[:2]
        ]
        both = {"password": passwords[2], "passwordConfirm": passwords[3]}
        answers.append(await client.patch("/api/users/me/password", json={"currentPassword": passwords[1], **both}))
        answers.append(await client.patch(f"/api/auth/resetpassword/{'0' * 64}", json=both))
        answers.append(await client.post("/api/auth/login", content=f'{{"email": "{ADA}", "password": "{CANARY}'))
        kept = await stored_hash(world)
    said = str([(answer.text, answer.headers) for answer in answers]) + str(logs)
    assert CANARY not in said + str(await dump.tables(world))
    assert kept not in said


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="NOT TESTED: memory is read from /proc")
async def test_p12_five_hundred_sign_ins_at_once_stay_within_the_memory_of_two_hashes(tmp_path: Path) -> None:
    """P12: as many as may run hash, some wait, the rest are told to come again; and other requests are answered."""
    with serving(
        tmp_path, VESTIBULE_HASH_THREADS=str(THREADS), VESTIBULE_SIGN_INS_PER_NETWORK="1000", **given_keys()
    ) as server:
        pids = [int(pid) for pid in _children(server.process.pid)]
        before = max(map(_peak_mib, pids))
        limits = httpx.Limits(max_connections=LOGINS + 10)
        async with httpx.AsyncClient(base_url=server.base, timeout=60, limits=limits) as client:
            logins = [
                asyncio.create_task(
                    client.post("/api/auth/login", json={"email": f"ada{n}@example.com", "password": "wrong horse"})
                )
                for n in range(LOGINS)
            ]
            health = [await client.get("/api/healthchecker") for _ in range(20)]
            answers = await asyncio.gather(*logins)
        grown = max(map(_peak_mib, pids)) - before
    assert {answer.status_code for answer in health} == {200}
    answered = Counter(answer.status_code for answer in answers)
    assert answered.keys() <= {400, 503}
    assert answered[400] >= THREADS
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.status_code == 503)
    assert grown < THREADS * HASH_MIB + 64


async def imported(world: World, password_hash: str) -> None:
    now = world.clock.now()
    async with world.env.store.transaction() as tx:
        assert await tx.accounts.add(Account(new_id(), "Ada", ADA, Role.USER, True, now, now, password_hash))


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _peak_mib(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024
