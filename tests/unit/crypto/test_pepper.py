"""P7: with a pepper, who has the database alone cannot try a single password; and it can be changed."""

from dataclasses import replace
from pathlib import Path

import argon2
import pytest
from sqlalchemy import select

from tests.harness.backends import Backend
from tests.harness.process import complaint, given_keys, run
from tests.harness.world import CHEAP, POLICY, world_on
from vestibule.crypto.passwords import Hasher
from vestibule.crypto.pepper import Pepper, Peppers
from vestibule.storage.sql.schema import accounts

FIRST, SECOND = "the first pepper " * 3, "the second pepper " * 3
PASSWORD = "correct horse"


def hasher(*peppers: str) -> Hasher:
    return Hasher(CHEAP, peppers=Peppers(*peppers))


def test_p7_the_stored_hash_is_not_the_password_s() -> None:
    stored = hasher(FIRST).hash(PASSWORD)
    name, _, made = stored.partition("$")
    assert name == f"hmac-sha256:{Pepper(FIRST).name}"
    assert FIRST not in stored
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(f"${made}", PASSWORD)
    for knows in (hasher(), hasher(SECOND), hasher(SECOND, "another " * 8)):
        assert not knows.matches(PASSWORD, stored)
        assert not knows.matches("", stored), "what is checked in its place has no password either"
    assert hasher(FIRST).matches(PASSWORD, stored)
    assert not hasher(FIRST).matches("wrong horse", stored)


def test_p7_hashes_of_before_are_good_and_made_anew() -> None:
    plain, first = hasher().hash(PASSWORD), hasher(FIRST).hash(PASSWORD)
    imported = Hasher(CHEAP, bcrypt_rounds=4).hash(PASSWORD)
    rotated = hasher(SECOND, FIRST)
    for stored in (plain, first, imported):
        assert rotated.matches(PASSWORD, stored)
        assert rotated.outdated(stored)
    assert not rotated.outdated(rotated.hash(PASSWORD))
    taken_away = hasher("", FIRST)
    assert taken_away.matches(PASSWORD, first)
    assert taken_away.outdated(first)
    assert not taken_away.outdated(plain)


async def test_p7_people_sign_in_through_a_change_and_the_database_alone_is_worth_nothing(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY), hasher=hasher(FIRST)) as world:
        await world.register(password=PASSWORD)
        await world.sign_in(password=PASSWORD)
        world.env.passwords._hasher = hasher(SECOND, FIRST)
        await world.sign_in(password=PASSWORD)
        async with world.engines.sqlalchemy_reading() as connection:
            stored = (await connection.execute(select(accounts.c.password_hash))).scalar_one()
        assert stored.startswith(f"hmac-sha256:{Pepper(SECOND).name}$argon2id$")
        world.env.passwords._hasher = hasher(SECOND)
        await world.sign_in(password=PASSWORD)
        world.env.passwords._hasher = hasher()
        answer = await (await world.client()).post(
            "/api/auth/login", json={"email": "ada@example.com", "password": PASSWORD}
        )
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"VESTIBULE_PEPPER": "short"}, "VESTIBULE_PEPPER: is too short"),
        (
            {"VESTIBULE_PEPPER": FIRST, "VESTIBULE_PASSWORD_HASH": "bcrypt"},
            "VESTIBULE_PEPPER: with it no other program",
        ),
    ],
)
def test_p7_a_pepper_that_is_none_is_refused(tmp_path: Path, given: dict[str, str], words: str) -> None:
    done = run(tmp_path, "events", **given_keys(), **given)
    assert done.returncode == 2
    assert complaint(done.stderr).startswith(words)
    assert FIRST not in done.stderr
    assert FIRST not in repr(Pepper(FIRST))
