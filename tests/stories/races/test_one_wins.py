"""One email, one verification code, one reset token, and 64 who want it at the same moment: one gets it.

Each round races anew, through the whole application. A guard in Python would let most of the racers through.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable
from typing import Any

import httpx
from sqlalchemy import func, select

from tests.harness.locks import until_waiting
from tests.harness.rounds import rounds
from tests.harness.world import World
from vestibule.model.letters import LetterKind
from vestibule.storage.sql.schema import accounts, letters

RACERS = 64
ROUNDS = rounds(200, suite=4)
Request = Coroutine[Any, Any, httpx.Response]


async def test_an_email_is_registered_once(racing_world: World) -> None:
    """E3: an email is registered once."""
    client = await racing_world.client()
    for attempt in range(ROUNDS):
        body = _person(f"racer{attempt}@example.com")
        answers = await _race(client.post("/api/auth/register", json=body) for _ in range(RACERS))
        assert _statuses(answers) == {201: 1, 409: RACERS - 1}
    assert await _letters_of_each_account(racing_world) == [1] * ROUNDS


async def test_a_verification_code_is_spent_once(racing_world: World) -> None:
    """M2: a verification code is spent once."""
    client = await racing_world.client()
    for attempt in range(ROUNDS):
        await racing_world.register(f"racer{attempt}@example.com")
        path = f"/api/auth/verifyemail/{racing_world.secret(LetterKind.VERIFY_EMAIL)}"
        answers = await _race(client.get(path) for _ in range(RACERS))
        assert _statuses(answers) == {200: 1, 403: RACERS - 1}


async def test_a_reset_token_sets_one_password(racing_world: World) -> None:
    """M2, O3: a reset token sets one password."""
    await racing_world.register()
    client = await racing_world.client()
    for attempt in range(ROUNDS):
        passwords = [f"correct horse {attempt} {racer}" for racer in range(RACERS)]
        path = f"/api/auth/resetpassword/{await _mailed_token(racing_world, client)}"
        answers = await _race(client.patch(path, json=_twice(password)) for password in passwords)
        assert _statuses(answers) == {200: 1, 403: RACERS - 1}
        winners = [password for password, answer in zip(passwords, answers, strict=True) if answer.is_success]
        await racing_world.sign_in(password=winners[0])


async def test_both_mailed_links_at_once_do_not_block_each_other(racing_world: World) -> None:
    await racing_world.register()
    client = await racing_world.client()
    verifying = f"/api/auth/verifyemail/{racing_world.secret(LetterKind.VERIFY_EMAIL)}"
    resetting = f"/api/auth/resetpassword/{await _mailed_token(racing_world, client)}"
    async with racing_world.engines.sqlalchemy_transaction() as in_the_way:
        await in_the_way.execute(select(accounts.c.id).with_for_update())
        reset = asyncio.create_task(client.patch(resetting, json=_twice("battery staple")))
        await until_waiting(racing_world, 1)
        verified = asyncio.create_task(client.get(verifying))
        await until_waiting(racing_world, 2)
    assert (await reset).status_code == 200
    assert (await verified).status_code in {200, 403}


async def _race(requests: Iterable[Request]) -> list[httpx.Response]:
    return await asyncio.gather(*requests)


def _statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def _mailed_token(world: World, client: httpx.AsyncClient) -> str:
    await client.post("/api/auth/forgotpassword", json={"email": "ada@example.com"})
    await world.deliver()
    return world.secret(LetterKind.RESET_PASSWORD)


async def _letters_of_each_account(world: World) -> list[int]:
    counts = select(func.count(letters.c.id)).select_from(accounts.outerjoin(letters)).group_by(accounts.c.id)
    async with world.engines.sqlalchemy_reading() as connection:
        return list((await connection.execute(counts)).scalars())


def _person(email: str, password: str = "correct horse") -> dict[str, str]:
    return {"name": "Ada Lovelace", "email": email, **_twice(password)}


def _twice(password: str) -> dict[str, str]:
    return {"password": password, "passwordConfirm": password}


async def test_of_those_who_register_anew_and_who_verify_the_email_one_password_is_left(racing_world: World) -> None:
    """O9: the code of one registration never makes the password of another one good, in whatever order they come."""
    client = await racing_world.client()
    for attempt in range(ROUNDS):
        email = f"hijacked{attempt}@example.com"
        await racing_world.register(email, "the first horse")
        code = racing_world.secret(LetterKind.VERIFY_EMAIL)
        racing_world.clock.advance(minutes=11)
        passwords = [f"the racing horse {number}" for number in range(RACERS - 1)]
        answers = await _race(
            [client.get(f"/api/auth/verifyemail/{code}")]
            + [client.post("/api/auth/register", json=_person(email, password)) for password in passwords]
        )
        verified, anew = answers[0].status_code == 200, [answer.status_code for answer in answers[1:]].count(201)
        assert (verified, anew) in {(True, 0), (False, 1)}, [answer.status_code for answer in answers]
        body = {"email": email, "password": "the first horse"}
        assert ((await client.post("/api/auth/login", json=body)).status_code == 200) == verified
