"""Who has an account is told neither by what is answered nor by what is done for the answer."""

from dataclasses import replace

import httpx
import pytest
from sqlalchemy import func, select

from tests.harness.backends import Backend
from tests.harness.statements import statements
from tests.harness.world import CHEAP, POLICY, World, world_on
from vestibule.crypto.entropy import new_id
from vestibule.crypto.passwords import Hasher
from vestibule.flows.administer import disable_account
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account, Role
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.storage.sql.schema import accounts, letters

NOBODY = "nobody@example.com"
RIGHT = "correct horse"
KINDS = ("argon2id", "bcrypt", "costlier bcrypt", "without a password", "disabled", "unverified")
SECRETIVE = replace(POLICY, verification_mandatory=True, conceal_accounts=True)
WRONG = {"password": "wrong horse"}
PERSON = {"name": "Ada Lovelace", "password": RIGHT, "passwordConfirm": RIGHT}
ASKED: dict[str, tuple[str, dict[str, str]]] = {
    "login": ("/api/auth/login", WRONG),
    "forgot": ("/api/auth/forgotpassword", {}),
    "resend": ("/api/auth/verifyemail", {}),
    "register": ("/api/auth/register", PERSON),
}


class WatchedHasher(Hasher):
    """A real one that also notes what it was asked to do."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.done: list[str] = []

    def matches(self, password: str, stored: str) -> bool:
        self.done.append("match")
        return super().matches(password, stored)

    def even_out_bcrypt(self, password: str, stored: str, highest_cost: int) -> None:
        self.done.append(f"even out to {highest_cost}")
        super().even_out_bcrypt(password, stored, highest_cost)


async def everybody(world: World) -> None:
    """One account of each kind, with an email named after it."""
    now = world.clock.now()
    hashes: dict[str, str | None] = {
        "bcrypt": Hasher(CHEAP, bcrypt_rounds=4).hash(RIGHT),
        "costlier bcrypt": Hasher(CHEAP, bcrypt_rounds=6).hash(RIGHT),
        "without a password": None,
    }
    ours = Hasher(CHEAP).hash(RIGHT)
    made = [
        Account(new_id(), "Ada", email_of(kind), Role.USER, kind != "unverified", now, now, hashes.get(kind, ours))
        for kind in KINDS
    ]
    async with world.env.store.transaction() as tx:
        assert len(await tx.accounts.add_missing(made)) == len(KINDS)
    account = await find_account(world.env, email_of("disabled"))
    assert account is not None
    await disable_account(world.env, COMMAND_LINE, account)


def email_of(kind: str) -> str:
    return f"{kind.replace(' ', '-')}@example.com"


@pytest.mark.parametrize("asked", ASKED)
async def test_g6_the_same_bytes_for_everybody_and_nobody(backend: Backend, asked: str) -> None:
    """G6, O6: status, body, headers and cookies, for accounts of every kind and for none."""
    path, body = ASKED[asked]
    async with world_on(backend, SECRETIVE) as world:
        await everybody(world)
        client = await world.client()
        seen = {
            email: _seen(await client.post(path, json={"email": email, **body}), email)
            for email in (NOBODY, *map(email_of, KINDS))
        }
    assert {email: answer for email, answer in seen.items() if answer != seen[NOBODY]} == {}


async def test_g6_a_paused_account_looks_like_a_paused_nobody(backend: Backend) -> None:
    """G6: all the way from the first wrong password to the last, waits included."""
    async with world_on(backend) as world:
        await world.register(NOBODY.replace("nobody", "ada"))
        client = await world.client()
        for _ in range(60):
            answers = [
                _seen(await client.post("/api/auth/login", json={"email": email, **WRONG}), email)
                for email in ("ada@example.com", NOBODY)
            ]
            assert answers[0] == answers[1]
            world.clock.advance(minutes=15)


@pytest.mark.parametrize("asked", ["login", "forgot", "resend"])
async def test_g6_the_same_work_for_everybody_and_nobody(backend: Backend, asked: str) -> None:
    """G6, O6: the same statements in the same order, and the same hashes, so that time tells nothing either."""
    path, body = ASKED[asked]
    hasher = WatchedHasher()
    work: dict[str, tuple[list[str], list[str]]] = {}
    async with world_on(backend, hasher=hasher) as world:
        await everybody(world)
        client = await world.client()
        for email in (NOBODY, *map(email_of, KINDS)):
            hasher.done.clear()
            with statements() as executed:
                await client.post(path, json={"email": email, **body})
            work[email] = (executed, list(hasher.done))
    assert {email: done for email, done in work.items() if done != work[NOBODY]} == {}
    assert work[NOBODY][1] == (["match", "even out to 6"] if asked == "login" else [])
    assert len(work[NOBODY][0]) >= 2


async def test_g16_the_right_password_of_who_may_not_sign_in_is_the_same_work(backend: Backend) -> None:
    """G16: statements and hashes, where accounts are concealed."""
    hasher = WatchedHasher()
    work: dict[str, tuple[list[str], list[str]]] = {}
    async with world_on(backend, SECRETIVE, hasher=hasher) as world:
        await everybody(world)
        client = await world.client()
        for email in (NOBODY, email_of("unverified"), email_of("disabled")):
            hasher.done.clear()
            with statements() as executed:
                await client.post("/api/auth/login", json={"email": email, "password": RIGHT})
            work[email] = (executed, list(hasher.done))
    assert {email: done for email, done in work.items() if done != work[NOBODY]} == {}
    assert work[NOBODY][1] == ["match", "even out to 6"]


async def test_g6_concealed_registration_beyond_a_network_s_limit_is_the_same_work(backend: Backend) -> None:
    """G6, O6: where no more letters may go out, the known get none and the new get none."""
    exhausted = replace(SECRETIVE, letters=POLICY.letters.per_hour(to_email=3, for_network=1))
    work: dict[str, list[str]] = {}
    async with world_on(backend, exhausted) as world:
        await everybody(world)
        client = await world.client()
        for email in ("first@example.com", NOBODY, *map(email_of, KINDS)):
            with statements() as executed:
                answer = await client.post("/api/auth/register", json={"email": email, **PERSON})
            assert answer.status_code == 201
            work[email] = executed
        async with world.engines.sqlalchemy_reading() as connection:
            assert (await connection.execute(select(func.count()).select_from(letters))).scalar_one() == 1
    first = work.pop("first@example.com")
    assert {email: done for email, done in work.items() if done != work[NOBODY]} == {}
    assert len(work[NOBODY]) < len(first)


async def test_g8_fifty_requests_send_three_letters_and_answer_alike(backend: Backend) -> None:
    """G8, O7: the flood is cut off without a word."""
    limited = replace(POLICY, letters=POLICY.letters.per_hour(to_email=3, for_network=60))
    async with world_on(backend, limited) as world:
        await world.register()
        client = await world.client()
        body = {"email": "ada@example.com"}
        answers = [await client.post("/api/auth/forgotpassword", json=body) for _ in range(50)]
        assert len({_seen(answer, "") for answer in answers}) == 1
        await world.deliver()
        async with world.engines.sqlalchemy_reading() as connection:
            resets = select(func.count()).where(letters.c.kind == LetterKind.RESET_PASSWORD.value)
            assert (await connection.execute(resets)).scalar_one() == 3
        assert sum(letter.kind is LetterKind.RESET_PASSWORD for letter in world.mailer.letters) <= 3


async def test_g10_a_fresh_database_has_nobody_in_it(world: World) -> None:
    """G10: no default account."""
    async with world.engines.sqlalchemy_reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(accounts))).scalar_one() == 0


def _seen(answer: httpx.Response, email: str) -> tuple[int, str, str]:
    """The answer, without the asker's own email and a new account's random id."""
    text = answer.text.replace(email, "…") if email else answer.text
    if answer.status_code == 201:
        text = text.replace(answer.json()["data"]["user"]["id"], "…")
    own = {"content-length", "x-request-id"}
    headers = [(name, value) for name, value in answer.headers.multi_items() if name not in own]
    return answer.status_code, text, str(headers)
