"""What came after a number: told without a look at the rest, whole, and a little at a time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.state.revocation_set import RevocationSet
from vestibule.state.sequence_index import LOOKED_AT_ONCE, SequenceIndex

AT = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = 960
MANY = 100_000
A_BLOCK = 64


class Looks(dict[str, int]):
    """The numbers by their subjects; counts how often one is looked at."""

    count = 0

    def __getitem__(self, subject: str) -> int:
        self.count += 1
        return super().__getitem__(subject)


def looked_at(index: SequenceIndex) -> Looks:
    index._numbers = looks = Looks(index._numbers)
    return looks


def revoked(many: int, number_of: Callable[[int], int] = lambda n: n) -> RevocationSet:
    known = RevocationSet(staleness_seconds=5)
    over = AT + timedelta(seconds=LIFE)
    known.add([Revocation(AT, RevocationKind.SESSION, str(n), over, None, number_of(n)) for n in range(1, many + 1)], 0)
    return known


@pytest.mark.parametrize("many", [0, 1, MANY // 10, MANY])
@pytest.mark.parametrize("new", [0, 1, 300])
def test_n4_who_knows_nearly_all_is_told_the_rest_without_a_look_at_it(many: int, new: int) -> None:
    """N4: as many looks as are new, and one block, however much stands."""
    known = revoked(many + new)
    looks = looked_at(known._index)
    told = [notice.subject for notices in known.still_in_force(many, 0) for notice in notices]
    assert told == [str(n) for n in range(many + 1, many + new + 1)]
    assert looks.count < new + A_BLOCK


@pytest.mark.parametrize(
    ("number_of", "now"),
    [
        pytest.param(lambda n: n, 0, id="all stand"),
        pytest.param(lambda n: n, LIFE, id="all are over and not dropped yet"),
        pytest.param(lambda n: 10**15 + n * n, 0, id="with gaps"),
    ],
)
def test_n4_no_turn_looks_at_many_however_few_it_finds(number_of: Callable[[int], int], now: float) -> None:
    known = revoked(MANY, number_of)
    looks, found, before = looked_at(known._index), 0, 0
    for notices in known.still_in_force(0, now):
        assert looks.count - before <= LOOKED_AT_ONCE
        found, before = found + len(notices), looks.count
    assert (found, looks.count) == (0 if now else MANY, MANY)


def test_k32_what_gets_a_new_number_while_all_is_told_is_told_all_the_same() -> None:
    """K32: an account's second mark must not hide the first, which the heartbeat says has been told."""
    index = SequenceIndex()
    for number in range(1, 2 * LOOKED_AT_ONCE):
        index.put(str(number), number)
    telling = index.after(0)
    told, moved = set(next(telling)), str(LOOKED_AT_ONCE + 1)
    assert moved not in told
    index.put(moved, 2**40)
    assert moved in told.union(*telling)


NUMBERS = st.integers(1, 3 * LOOKED_AT_ONCE) | st.integers(1, 2**62)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), NUMBERS | st.none())), st.integers(0, 4 * LOOKED_AT_ONCE))
def test_it_finds_what_a_look_at_everything_finds(steps: list[tuple[str, int | None]], after: int) -> None:
    index, plain = SequenceIndex(), dict[str, int]()
    for subject, number in steps:
        if number is None:
            index.discard(subject)
            plain.pop(subject, None)
        else:
            index.put(subject, number)
            plain[subject] = max(number, plain.get(subject, 0))
    found = [subject for subjects in index.after(after) for subject in subjects]
    assert len(found) == len(set(found))
    assert set(found) == {subject for subject, number in plain.items() if number > after}
    assert len(index) == len(plain)
    assert sum(map(len, index._blocks.values())) == len(plain), "nothing stays behind"
