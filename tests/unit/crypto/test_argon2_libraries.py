"""Two libraries for one kind of hash: each against known answers and the other, the choice, and what each is given."""

import itertools
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest
from argon2.low_level import Type, hash_secret

from tests.harness.hash_work import WORK, count_work, with_libsodium
from tests.harness.world import CHEAP
from tests.unit.crypto.test_hash_forms import NORMAL, ODD, PASSWORD, TYPED
from tests.unit.crypto.test_passwords import REFERENCE
from vestibule.crypto import argon2_libraries
from vestibule.crypto.argon2_libraries import Argon2Cffi, Argon2Library, Libsodium, Measurement, measure
from vestibule.crypto.hash_forms import Cost, argon2_cost
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.crypto.pepper import Peppers

# The reference implementation's own vectors, test.c: argon2id, version 0x13.
KNOWN = {
    "64 MiB, 2 passes": (REFERENCE, b"password"),
    "256 KiB": ("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", b"password"),
    "1 pass": ("$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg", b"password"),
    "another password": (
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
        b"differentpassword",
    ),
    "another salt": (
        "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw",
        b"password",
    ),
}
COSTS = [Cost(8, 1, 1), Cost(64, 1, 1), Cost(1000, 3, 1), Cost(19_456, 2, 1)]
TEXTS = [b"", b"correct horse", b"ab\0cd", "🔐é".encode(), b"x" * 1024]
PEPPERS = {"none": Peppers(), "one": Peppers("a pepper of thirty-two characters")}


@pytest.mark.parametrize("library", [Argon2Cffi, Libsodium])
@pytest.mark.parametrize(("hashed", "password"), KNOWN.values(), ids=KNOWN)
def test_p14_each_library_knows_the_reference_implementation_s_answers(
    library: Callable[[Cost], Argon2Library], hashed: str, password: bytes
) -> None:
    """P14: and takes none of them for another password's."""
    assert library(COSTS[0]).verify(hashed, password)
    assert not library(COSTS[0]).verify(hashed, password + b"\0")


@pytest.mark.parametrize("cost", COSTS, ids=str)
@pytest.mark.parametrize(("maker", "checker"), [(Argon2Cffi, Libsodium), (Libsodium, Argon2Cffi)])
def test_p14_what_one_makes_the_other_checks(
    maker: Callable[[Cost], Argon2Library], checker: Callable[[Cost], Argon2Library], cost: Cost
) -> None:
    """P14: of the same form, each with a salt of its own."""
    for text in TEXTS:
        made = maker(cost).hash(text)
        assert made.startswith(f"$argon2id$v=19$m={cost.memory_kib},t={cost.iterations},p=1$")
        assert [len(part) for part in made.split("$")[4:]] == [22, 43]
        assert checker(cost).verify(made, text)
        assert not checker(cost).verify(made, text + b"x")
    assert maker(cost).hash(b"") != maker(cost).hash(b"")


@pytest.mark.parametrize("peppers", PEPPERS.values(), ids=PEPPERS)
@pytest.mark.parametrize("password", [PASSWORD, TYPED])
def test_p14_either_way_round_with_peppers_and_in_either_spelling(peppers: Peppers, password: str) -> None:
    """P14: a server that chose one reads what another wrote; nothing is outdated by that."""
    one, other = Hasher(CHEAP, peppers=peppers), with_libsodium(Hasher(CHEAP, peppers=peppers))
    for maker, checker in itertools.product((one, other), repeat=2):
        made = maker.hash(password)
        assert checker.matches(password, made)
        assert checker.matches(NORMAL if password == TYPED else password, made)
        assert not checker.matches("wrong horse", made)
        assert not checker.outdated(made)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    count_work(monkeypatch)
    WORK.clear()
    return WORK


def of_form(kind: Type, version: int = 19, lanes: int = 1, cost: Argon2id = CHEAP, text: str = "another") -> str:
    return hash_secret(text.encode(), bytes(16), cost.iterations, cost.memory_kib, lanes, 32, kind, version).decode()


OTHERS = {
    "argon2i": of_form(Type.I, text=PASSWORD),
    "argon2d": of_form(Type.D, text=PASSWORD),
    "version 16": of_form(Type.ID, 16, text=PASSWORD),
    "two lanes": of_form(Type.ID, lanes=2, text=PASSWORD),
    "cheaper": of_form(Type.ID, cost=Argon2id(32, 1), text=PASSWORD),
    "dearer": of_form(Type.ID, cost=Argon2id(1000, 3), text=PASSWORD),
}


@pytest.mark.parametrize("hashed", OTHERS.values(), ids=OTHERS)
def test_p14_every_other_form_is_argon2_cffi_s(counted: Counter[str], hashed: str) -> None:
    """P14: checked as ever."""
    hasher = with_libsodium(Hasher(CHEAP))
    assert hasher.can_match(hashed)
    assert hasher.matches(PASSWORD, hashed)
    assert not hasher.matches("wrong horse", hashed)
    assert counted["libsodium"] == 0 < counted["argon2-cffi"]
    assert hasher.outdated(hashed)
    assert hasher.library == "libsodium"


@pytest.mark.parametrize("peppers", PEPPERS.values(), ids=PEPPERS)
@pytest.mark.parametrize("password", ["wrong horse", TYPED])
def test_i10_a_wrong_password_is_the_same_work_for_each_library(
    counted: Counter[str], password: str, peppers: Peppers
) -> None:
    """I10: with a hash like ours, of another form, of bcrypt, of none that is known, and without one."""
    hasher = with_libsodium(Hasher(CHEAP, peppers=peppers))
    bcrypts = [bcrypt.hashpw(b"another", bcrypt.gensalt(rounds)).decode() for rounds in (4, 6)]
    rows = [*OTHERS.values(), *bcrypts, Hasher(CHEAP).hash("another"), hasher.hash("another"), hasher.decoy]
    rows += [peppers.with_mark(other) for other in OTHERS.values()]
    costs = [cost for other in OTHERS.values() if (cost := argon2_cost(other))]
    done = {}
    for stored in (*rows, *ODD.values()):
        counted.clear()
        assert not hasher.matches(password, stored)
        hasher.even_out_bcrypt(password, stored, 6)
        hasher.even_out_argon2(password, stored, costs)
        done[stored[:100]] = dict(counted)
    spellings = 2 if password == TYPED else 1
    # A bcrypt hash of 4 is brought to 6 by one more of 4 and one of 5.
    expected = {"libsodium": 64 * spellings, "argon2-cffi": 3000 * spellings, "bcrypt": 64 * spellings}
    assert {stored: work for stored, work in done.items() if work != expected} == {}


def test_i10_a_form_of_the_same_cost_is_made_up_for_only_where_time_differs() -> None:
    """I10: argon2i of our cost takes argon2-cffi as long as ours do, but not as long as they take libsodium."""
    today = Cost(CHEAP.memory_kib, CHEAP.iterations, CHEAP.lanes)
    assert not Hasher(CHEAP).costs_differently(today)
    assert with_libsodium(Hasher(CHEAP)).costs_differently(today)


LENGTHS = {"a short salt": (8, 32), "a long salt": (32, 32), "a long digest": (16, 64), "as long as ours": (8, 40)}


@pytest.mark.parametrize(("salt", "digest"), LENGTHS.values(), ids=LENGTHS)
def test_i10_our_cost_at_another_length_ends_the_difference(counted: Counter[str], salt: int, digest: int) -> None:
    """I10: no index finds it among ours, so argon2-cffi checks all from then on, in as much time."""
    hasher = with_libsodium(Hasher(CHEAP))
    other = hash_secret(PASSWORD.encode(), bytes(salt), 1, 64, 1, digest, Type.ID).decode()
    assert hasher.matches(PASSWORD, other)
    assert hasher.library == "argon2-cffi"
    counted.clear()
    for stored in (other, hasher.decoy, Hasher(CHEAP).hash("another")):
        hasher.matches("wrong horse", stored)
    assert counted["libsodium"] == 0
    assert not hasher.costs_differently(Cost(64, 1, 1))


def test_p14_libsodium_must_be_clearly_faster() -> None:
    """P14: two measurements of one library differ by a few percent."""
    assert Measurement(argon2_cffi=20, libsodium=17.9).libsodium_is_faster
    assert not Measurement(argon2_cffi=20, libsodium=18.1).libsodium_is_faster
    assert not Measurement(argon2_cffi=20, libsodium=21).libsodium_is_faster


def test_p14_the_slower_one_is_never_chosen_and_a_choice_can_be_made_again() -> None:
    """P14: as measured, for the passes that hashes here have."""
    asked: list[int] = []

    def slow(iterations: int) -> Measurement:
        asked.append(iterations)
        return Measurement(argon2_cffi=1, libsodium=2)

    hasher = Hasher(Argon2id(64, 3))
    assert hasher.library == "argon2-cffi"
    assert with_libsodium(hasher).choose_library(slow) == Measurement(1, 2)
    assert hasher.library == "argon2-cffi"
    assert asked == [3]


def test_p14_with_more_lanes_there_is_no_choice() -> None:
    """P14: libsodium makes hashes of one lane, whatever it is asked for."""
    hasher = Hasher(Argon2id(64, 1, lanes=2))
    assert hasher.choose_library(lambda _: Measurement(2, 1)) is None
    assert hasher.library == "argon2-cffi"
    assert hasher.matches(PASSWORD, hasher.hash(PASSWORD))
    with pytest.raises(ValueError, match="one lane"):
        Libsodium(Cost(64, 1, 2))


@pytest.mark.parametrize(("for_a_hash", "pairs"), [(0.001, 4), (0.05, 2), (10.0, 1)])
def test_p14_measuring_is_bounded(monkeypatch: pytest.MonkeyPatch, for_a_hash: float, pairs: int) -> None:
    """P14: a few small hashes, fewer on a slow machine, with each library in turn."""
    made: list[str] = []
    monkeypatch.setattr(Argon2Cffi, "hash", lambda self, _: made.append(self.name))
    monkeypatch.setattr(Libsodium, "hash", lambda self, _: made.append(self.name))
    measured = measure(2, lambda: for_a_hash * len(made))
    assert made == ["argon2-cffi", "libsodium"] * pairs
    assert measured == Measurement(pytest.approx(1000 * for_a_hash), pytest.approx(1000 * for_a_hash))


def test_p14_what_is_measured_is_a_hash_of_a_few_mebibytes() -> None:
    """P14: what argon2-cffi keeps of it is less than a hash."""
    assert Argon2id().memory_kib >= 4 * argon2_libraries._MEASURED_KIB
    measured = measure(1)
    assert measured.argon2_cffi > 0
    assert measured.libsodium > 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="NOT TESTED: memory is read from /proc")
def test_p12_libsodium_keeps_no_memory_from_one_hash_to_the_next() -> None:
    """P12: so that there is never more in use than of the hashes under way."""
    library = Libsodium(Cost(19_456, 1, 1))
    library.hash(b"")
    before = _resident_kib()
    library.hash(b"")
    assert _resident_kib() - before < 19_456 / 2


def _resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
