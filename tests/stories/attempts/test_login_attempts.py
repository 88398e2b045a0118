"""Wrong passwords in a row: how many are checked, by whatever way and in whatever race, and who is never kept out."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.conftest import not_to_be_had
from tests.harness import backends, servers
from tests.harness.process import PRODUCTION, given_keys, serving
from tests.harness.rounds import rounds
from tests.harness.world import CHEAP, POLICY, World, world_on
from vestibule.crypto.passwords import Hasher
from vestibule.flows.clean_up import clean_up
from vestibule.flows.delete_account import delete_my_account
from vestibule.flows.identify import identify
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import WrongPassword
from vestibule.model.letters import LetterKind
from vestibule.model.login_attempts import LoginAttemptLimits
from vestibule.model.sessions import Device
from vestibule.storage.sql.timeouts import DatabaseTimeouts

ADA, NOBODY = "ada@example.com", "nobody@example.com"
RIGHT, NEW = "correct horse", "battery staple"
RACERS, LIMIT = 200, 10
GUESSES = rounds(1000, suite=120)
TEN = replace(POLICY, login_attempts=LoginAttemptLimits(at_most=LIMIT, free=LIMIT))
WRONG = {"status": "fail", "code": "wrong_credentials", "message": "Invalid email or password"}


class CountingHasher(Hasher):
    """A real one that also counts what it checks."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self._numbers = itertools.count()
        self.checked = 0

    def matches(self, password: str, stored: str) -> bool:
        self.checked = next(self._numbers) + 1
        return super().matches(password, stored)


def attempt(email: str = ADA, password: str = "wrong horse") -> dict[str, str]:
    return {"email": email, "password": password}


async def stranger(world: World, address: str) -> httpx.AsyncClient:
    """A browser that has never been here, at an address of its own."""
    transport = httpx.ASGITransport(world.app, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")


@pytest.mark.parametrize("email", [ADA, NOBODY])
async def test_g1_attempts_from_everywhere(backend: backends.Backend, email: str) -> None:
    """G1: whatever the source address, at most a hundred are checked; the right one is then refused in the same words;
    a reset by mail restores everything. And an email without an account behaves alike.
    """
    hasher = CountingHasher()
    async with world_on(backend, hasher=hasher) as world:
        await world.register()
        for number in range(GUESSES):
            client = await stranger(world, f"198.51.{number // 250}.{number % 250}")
            answer = await client.post("/api/auth/login", json=attempt(email))
            while answer.status_code == 429:
                world.clock.advance(seconds=int(answer.headers["Retry-After"]))
                answer = await client.post("/api/auth/login", json=attempt(email))
            assert (answer.status_code, answer.json()) == (400, WRONG)
        assert hasher.checked == POLICY.login_attempts.at_most <= 100
        right = await (await world.client()).post("/api/auth/login", json=attempt(email, RIGHT))
        assert (right.status_code, right.json()) == (400, WRONG)
        await reset(world)
        await world.sign_in(password=NEW)


async def test_g1_each_wrong_password_makes_the_next_one_wait_longer(world: World) -> None:
    """G1: a growing delay, told by Retry-After, for the right password too; what has to wait is not counted."""
    await world.register()
    client = await world.client()
    for _ in range(POLICY.login_attempts.free):
        assert (await client.post("/api/auth/login", json=attempt())).status_code == 400
    waits = []
    while len(waits) < 12:
        answer = await client.post("/api/auth/login", json=attempt(password=RIGHT))
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert "not logged in" not in answer.text
        waits.append(int(answer.headers["Retry-After"]))
        world.clock.advance(seconds=waits[-1] - 0.5)
        assert (await client.post("/api/auth/login", json=attempt(password=RIGHT))).status_code == 429
        world.clock.advance(seconds=0.5)
        assert (await client.post("/api/auth/login", json=attempt())).status_code == 400
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    world.clock.advance(seconds=900)
    await world.sign_in()
    assert (await client.post("/api/auth/login", json=attempt())).status_code == 400


async def test_g1_an_outsider_keeps_no_owner_out(backend: backends.Backend) -> None:
    """G1: a device that has signed in before has a counter of its own, whatever strangers have spent."""
    async with world_on(backend, TEN) as world:
        await world.register()
        known = await world.sign_in()
        await spend(await world.client(), LIMIT)
        assert (await (await world.client()).post("/api/auth/login", json=attempt(password=RIGHT))).status_code == 400
        assert (await known.post("/api/auth/login", json=attempt(password=RIGHT))).status_code == 200
        changed = await known.patch("/api/users/me/password", json=change(RIGHT))
        assert changed.status_code == 200
        # A new password is not what was guessed at, so that everybody begins anew.
        await world.sign_in(password=NEW)


async def test_g1_a_secret_of_another_account_makes_nobody_familiar(backend: backends.Backend) -> None:
    """G1: the attacker's own device cookie, under the victim's name too, opens no second counter."""
    async with world_on(backend, TEN) as world:
        await world.register()
        await world.register(NOBODY)
        known, attacker = await world.sign_in(), await world.sign_in(NOBODY)
        (name,) = [name for name in known.cookies if name.startswith("device_")]
        (secret,) = [value for cookie, value in attacker.cookies.items() if cookie.startswith("device_")]
        attacker.cookies.set(name, secret)
        await spend(attacker, LIMIT)
        assert (await attacker.post("/api/auth/login", json=attempt(password=RIGHT))).status_code == 400
        assert (await known.post("/api/auth/login", json=attempt(password=RIGHT))).status_code == 200


@pytest.mark.parametrize("way", ["login", "login from a known device", "password", "email", "step-up", "deletion"])
async def test_g4_every_way_in_shares_the_count(backend: backends.Backend, way: str) -> None:
    """G4: whichever way spends it, every way refuses the right password afterwards, until a reset."""
    async with world_on(backend, TEN) as world:
        await world.register()
        known = await world.sign_in()
        unknown = await world.client()
        await spend(unknown, LIMIT)
        for _ in range(LIMIT):
            assert not await lets_in(world, known if way != "login" else unknown, way, "wrong horse")
        if way == "login":
            await spend(known, LIMIT)
        for other in ("login from a known device", "password", "email", "step-up", "deletion"):
            assert not await lets_in(world, known, other, RIGHT)
        assert not await lets_in(world, unknown, "login", RIGHT)
        await reset(world)
        assert await lets_in(world, unknown, "login", NEW)
        assert await lets_in(world, known, "login from a known device", NEW)


async def test_a_wrong_password_of_long_ago_still_counts_for_an_account_alone(backend: backends.Backend) -> None:
    async with world_on(backend, TEN) as world:
        await world.register()
        client = await world.client()
        for email in (ADA, NOBODY):
            await spend(client, LIMIT, email)
        world.clock.advance(days=31)
        assert (await clean_up(world.env))["login_attempts"] == 1
        assert (await client.post("/api/auth/login", json=attempt(password=RIGHT))).status_code == 400


@pytest.mark.parametrize("kind", backends.ALL)
async def test_g3_two_hundred_at_once_and_ten_are_checked(kind: str, tmp_path: Path) -> None:
    """G3: counted before it is checked, in one statement. One process."""
    hasher = CountingHasher()
    try:
        async with (
            backends.fresh(kind, tmp_path) as backend,
            world_on(backend, TEN, hasher=hasher, pool_size=16, timeouts=DatabaseTimeouts(60, 60, 60, 60)) as world,
        ):
            await world.register()
            client = await world.client()
            answers = await asyncio.gather(
                *(client.post("/api/auth/login", json=attempt(password=f"wrong horse {n}")) for n in range(RACERS))
            )
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)
    assert Counter(answer.status_code for answer in answers) == {400: RACERS}
    assert hasher.checked == LIMIT


@pytest.mark.parametrize("kind", backends.ALL)
async def test_g3_four_processes_check_ten_together(kind: str, tmp_path: Path) -> None:
    """G3: the same with four processes. The log says which guesses were the last to be checked, and which were not."""
    try:
        async with backends.fresh(kind, tmp_path) as backend:
            with racing(tmp_path, backend) as base:
                async with httpx.AsyncClient(base_url=base, timeout=60) as client:
                    body = {"name": "Ada", "email": ADA, "password": RIGHT, "passwordConfirm": RIGHT}
                    assert (await client.post("/api/auth/register", json=body)).status_code == 201
                    answers = await asyncio.gather(
                        *(client.post("/api/auth/login", json=attempt()) for _ in range(RACERS))
                    )
            log = (tmp_path / "log").read_text()
    except servers.NotToBeHad as reason:
        not_to_be_had(reason)
    answered = Counter(answer.status_code for answer in answers)
    assert answered.keys() <= {400, 503}
    refused = [line for line in log.splitlines() if '"sign_in_refused"' in line]
    # One line for each that is checked, and one in a minute for all that are not.
    assert LIMIT - answered[503] <= len(refused) <= LIMIT + 3
    # Nine say nothing; the tenth, and what is told of those that are not checked, says that it is over.
    told = sum('"paused": "true"' not in line for line in refused)
    # Where a busy machine answered 503 after the check, there is no line.
    assert LIMIT - 1 - answered[503] <= told <= LIMIT - 1


@contextmanager
def racing(folder: Path, backend: backends.Backend) -> Iterator[str]:
    """Four processes with a limit of ten and room for everybody in line; what they said is kept in `log`."""
    settings = {
        **given_keys(),
        **backend.environment,
        **PRODUCTION,
        "VESTIBULE_PASSWORD_FAILURES": str(LIMIT),
        "VESTIBULE_HASH_THREADS": "8",
        "VESTIBULE_DATABASE_POOL": "64",
    }
    with serving(folder, "--workers", "4", **settings) as server:
        yield server.base
        (folder / "log").write_text(server.output)


async def lets_in(world: World, client: httpx.AsyncClient, way: str, password: str) -> bool:
    """Whether the password is taken, by that way."""
    if way.startswith("login"):
        answer = await client.post("/api/auth/login", json=attempt(password=password))
    elif way == "password":
        answer = await client.patch("/api/users/me/password", json=change(password))
    elif way == "email":
        answer = await client.patch("/api/users/me/email", json={"currentPassword": password, "email": NOBODY})
    elif way == "step-up":
        answer = await client.post("/api/users/me/step-up", json={"password": password})
    else:
        caller = await identify(world.env, client.cookies["access_token"])
        kept = {name.removeprefix("device_"): (value,) for name, value in client.cookies.items()}
        with pytest.raises(WrongPassword):
            await delete_my_account(world.env, caller, password, ClientInfo(Device("", "192.0.2.7"), None, kept))
        return False
    assert answer.status_code in {200, 400, 403}, answer.text
    return answer.status_code == 200


async def spend(client: httpx.AsyncClient, login_attempts: int, email: str = ADA) -> None:
    for _ in range(login_attempts):
        assert (await client.post("/api/auth/login", json=attempt(email))).json() == WRONG


async def reset(world: World) -> None:
    client = await world.client()
    await client.post("/api/auth/forgotpassword", json={"email": ADA})
    await world.deliver()
    token = world.secret(LetterKind.RESET_PASSWORD)
    body = {"password": NEW, "passwordConfirm": NEW}
    assert (await client.patch(f"/api/auth/resetpassword/{token}", json=body)).status_code == 200


def change(current: str) -> dict[str, str]:
    return {"currentPassword": current, "password": NEW, "passwordConfirm": NEW}
