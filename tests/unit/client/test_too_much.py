"""K11: more revocations than a service holds are refused, never kept, and what is over makes room at once."""

from collections.abc import Mapping
from typing import Any

import pytest

from vestibule.protocol import revocations
from vestibule.protocol.revocations import Revoked, TooMuch

MOST = 100
ONE = {"sessions": {"new": 900}}


def sessions(number: int, seconds: float) -> dict[str, float]:
    return {f"s{each}": seconds for each in range(number)}


def accounts(number: int, seconds: float) -> dict[str, tuple[int, float]]:
    return {f"a{each}": (1, seconds) for each in range(number)}


HELD: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "sessions": ({"sessions": sessions(MOST, 1)}, ONE),
    "accounts": ({"accounts": accounts(MOST, 1)}, ONE),
    "sessions behind one that is kept": ({"sessions": {"kept": 900} | sessions(MOST - 1, 1)}, ONE),
    "half of each": ({"sessions": sessions(MOST // 2, 1), "accounts": accounts(MOST // 2, 1)}, ONE),
    "a long list in their place": ({"sessions": sessions(MOST, 1)}, {"accounts": accounts(MOST, 900)}),
    "themselves, told again": ({"sessions": sessions(MOST, 1)}, {"sessions": sessions(MOST, 900)}),
}
"""What is over, and what is told then."""


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocations, "MAX_ENTRIES", MOST)
    monkeypatch.setattr(revocations, "_PURGED_AT_ONCE", 7)


@pytest.mark.parametrize(("held", "told"), HELD.values(), ids=HELD)
def test_k11_what_is_over_makes_room_before_the_first_heartbeat(
    held: Mapping[str, Any], told: Mapping[str, Any]
) -> None:
    revoked = Revoked()
    revoked.purge(0.0)  # the next one that is due comes a minute later
    revoked.learn(held, 0.0)
    revoked.learn(told, 2.0)
    assert all(subject in revoked for kind in told.values() for subject in kind)
    assert len(revoked) <= MOST


def test_k11_what_does_not_fit_is_not_kept_however_often_it_comes() -> None:
    revoked = Revoked()
    revoked.learn({"sessions": sessions(MOST, 900)}, 0.0)
    for number in range(3):
        with pytest.raises(TooMuch):
            revoked.learn({"sessions": {f"more{number}": 900}}, 2.0)
    revoked.learn({"sessions": sessions(MOST, 900)}, 3.0)
    assert len(revoked) == MOST
