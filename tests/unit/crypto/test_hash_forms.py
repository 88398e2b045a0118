"""Which stored hashes are checked: known forms, and costs that one request may be made to pay."""

import time
import unicodedata

import argon2
import bcrypt
import pytest

from tests.harness.world import CHEAP
from vestibule.crypto.hash_forms import Cost, argon2_cost
from vestibule.crypto.passwords import Hasher
from vestibule.crypto.pepper import PEPPER_PREFIX, Peppers
from vestibule.crypto.stored_hashes import checkable, costs_of

PASSWORD = "correct horse"
_BODY = "C" * 21 + "." + "E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
_TAIL = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
TYPED, NORMAL = "cafe\u0301 au lait", "caf\u00e9 au lait"

CHECKED = {
    "bcrypt, 4": f"$2b$04${_BODY}",
    "bcrypt, 14": f"$2y$14${_BODY}",
    "argon2id": "$argon2id$v=19$m=65536,t=3,p=4" + _TAIL,
    "argon2i of before there were versions": "$argon2i$m=4096,t=3,p=1" + _TAIL,
}
ODD = {
    "empty": "",
    "a word": "password",
    "the password": PASSWORD,
    "bcrypt of cost 31": f"$2b$31${_BODY}",
    "bcrypt of cost 15": f"$2b$15${_BODY}",
    "bcrypt of cost 3": f"$2b$03${_BODY}",
    "bcrypt of cost xx": f"$2b$xx${_BODY}",
    "bcrypt of an Arabic cost": f"$2b$\u0661\u0662${_BODY}",
    "bcrypt 2x": f"$2x$12${_BODY}",
    "bcrypt 2": f"$2$12${_BODY}",
    "bcrypt whose salt has a bit too much": f"$2b$04${_BODY[:21]}C{_BODY[22:]}",
    "bcrypt cut short": "$2b$04$short",
    "bcrypt too long": f"$2b$04${_BODY}a",
    "bcrypt with a line feed": f"$2b$04${_BODY}\n",
    "bcrypt with a space": f" $2b$04${_BODY}",
    "bcrypt not in ASCII": f"$2b$04${_BODY[:-1]}\u00e4",
    "argon2id without an end": "$argon2id$v=19$m=8,t=1,p=1$",
    "argon2id of four gigabytes": "$argon2id$v=19$m=4194304,t=1,p=1" + _TAIL,
    "argon2id of many passes": "$argon2id$v=19$m=65536,t=4294967295,p=1" + _TAIL,
    "argon2id of 999 passes": "$argon2id$v=19$m=65536,t=999,p=1" + _TAIL,
    "argon2id of many lanes": "$argon2id$v=19$m=65536,t=1,p=16777215" + _TAIL,
    "argon2id of nothing": "$argon2id$v=19$m=0,t=0,p=0" + _TAIL,
    "argon2id of a negative number": "$argon2id$v=19$m=-1,t=1,p=1" + _TAIL,
    "argon2 of another version": "$argon2id$v=99$m=64,t=1,p=1" + _TAIL,
    "argon2id whose salt is no base64": "$argon2id$v=19$m=64,t=1,p=1$" + "A" * 13 + "$" + "A" * 43,
    "argon2id whose salt has a bit too much": "$argon2id$v=19$m=64,t=1,p=1$" + "A" * 21 + "B$" + "A" * 43,
    "argon2id whose digest has a bit too much": "$argon2id$v=19$m=64,t=1,p=1$" + "A" * 22 + "$" + "A" * 42 + "B",
    "argon2 of a kind there is not": "$argon2x$v=19$m=64,t=1,p=1" + _TAIL,
    "scrypt": "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD",
    "md5": "$1$5pZSV9va$azfrPr6af3Fc7dLblQXVa0",
    "a pepper nobody knows": f"{PEPPER_PREFIX}00000000$argon2id$v=19$m=64,t=1,p=1" + _TAIL,
    "a pepper without a name": f"{PEPPER_PREFIX}$argon2id$v=19$m=64,t=1,p=1" + _TAIL,
    "a pepper and nothing": PEPPER_PREFIX,
    "a pepper before bcrypt": f"{PEPPER_PREFIX}00000000$2b$12${_BODY}",
    "huge": "$argon2id$v=19$m=64,t=1,p=1$" + "a" * 1_000_000,
    "NUL": "\0",
    "a lone surrogate": "\ud800",
}


class Watched(Hasher):
    """Notes what is checked, and at which cost."""

    def __init__(self, **how: object) -> None:
        super().__init__(CHEAP, **how)  # type: ignore[arg-type]
        self.checked: list[tuple[str, bytes]] = []

    def _verify(self, made: str, text: bytes) -> bool:
        self.checked.append((made, text))
        return super()._verify(made, text)


@pytest.mark.parametrize("stored", CHECKED.values(), ids=CHECKED)
def test_i1_known_forms_are_checked(stored: str) -> None:
    assert checkable(stored)
    assert Hasher(CHEAP).can_match(stored)


@pytest.mark.parametrize("stored", ODD.values(), ids=ODD)
def test_i1_another_form_is_as_much_work_as_no_account_and_matches_nothing(stored: str) -> None:
    hasher = Watched()
    assert not hasher.can_match(stored)
    begun = time.process_time()
    assert not hasher.matches(PASSWORD, stored)
    assert not hasher.matches(TYPED, stored)
    hasher.even_out_bcrypt(PASSWORD, stored, 4)
    assert time.process_time() - begun < 1
    assert [made for made, _ in hasher.checked] == [hasher.decoy] * 2


class Measured(Watched):
    """Adds up what argon2 was given to do."""

    work = 0

    def _verify(self, made: str, text: bytes) -> bool:
        self.work += cost.work if (cost := argon2_cost(made)) else 0
        return super()._verify(made, text)

    def _do_work(self, work: int) -> None:
        self.work += work
        super()._do_work(work)


@pytest.mark.parametrize("password", [PASSWORD, TYPED])
def test_i7_a_wrong_password_is_as_much_work_with_an_argon2_hash_of_any_cost(password: str) -> None:
    """I7: less, more or none than what hashes cost here, in each spelling."""
    others = [Cost(32, 1, 1), Cost(1000, 3, 1)]
    rows = [argon2.PasswordHasher(c.iterations, c.memory_kib, c.lanes).hash("another") for c in others]
    work = set()
    for stored in (*rows, Hasher(CHEAP).hash("another"), Hasher(CHEAP).decoy, *ODD.values()):
        hasher = Measured()
        assert not hasher.matches(password, stored)
        hasher.even_out_argon2(password, stored, others)
        work.add(hasher.work)
    assert work == {3000 * (1 if password == PASSWORD else 2)}


def test_i7_no_cost_out_of_bounds_is_made_up_for() -> None:
    texts = "m=64,t=1,p=1 m=4194304,t=1,p=1 m=65536,t=999,p=1 m=0,t=0,p=0 m=x m=131072,t=4,p=8 m=8192,t=2,p=1"
    costs = costs_of(f"$argon2id$v=19${one}$" for one in texts.split()).argon2
    assert costs == {Cost(64, 1, 1), Cost(131072, 4, 8), Cost(8192, 2, 1)}
    assert max(cost.work for cost in costs) == 524_288


def test_i2_a_hash_from_elsewhere_was_made_of_what_was_typed() -> None:
    assert TYPED != NORMAL == unicodedata.normalize("NFC", TYPED)
    elsewhere = [
        bcrypt.hashpw(TYPED.encode(), bcrypt.gensalt(4)).decode(),
        argon2.PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash(TYPED),
    ]
    hasher = Watched()
    for stored in elsewhere:
        assert hasher.matches(TYPED, stored)
        assert not hasher.matches(NORMAL, stored)
        assert hasher.outdated(stored)
    assert hasher.matches(NORMAL, hasher.hash(TYPED))


def test_i2_only_there_and_only_where_it_is_another_spelling() -> None:
    hasher, peppered = Watched(), Watched(peppers=Peppers("a pepper of thirty-two characters"))
    for made_by in (hasher, peppered):
        for password in (TYPED, NORMAL):
            made_by.matches(password, made_by.hash(PASSWORD))
        assert len(made_by.checked) == 2
    hasher.checked.clear()
    elsewhere = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    assert hasher.matches(PASSWORD, elsewhere)
    assert len(hasher.checked) == 1
    assert not hasher.matches(TYPED, elsewhere)
    assert [text for _, text in hasher.checked[1:]] == [NORMAL.encode(), TYPED.encode()]
