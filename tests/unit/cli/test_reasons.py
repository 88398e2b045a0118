"""Sentences about why somebody cannot sign in: each says what really ends it."""

from datetime import timedelta

import pytest

from tests.unit.storage import NOW
from vestibule.cli.reasons import sentence_of
from vestibule.cli.unlock import pause_in_words
from vestibule.model.pauses import AttemptKind, Pause
from vestibule.model.reasons import PausedPasswords, PausedSecondFactor, Reason

BY_RESET = "until it is unlocked or the password is reset"
BY_UNLOCK = "until it is unlocked"


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        pytest.param(PausedPasswords(until=None, networks={}), BY_RESET, id="passwords"),
        pytest.param(PausedSecondFactor(until=None, networks={}), BY_UNLOCK, id="codes"),
    ],
)
def test_a_pause_without_an_end_says_what_ends_it(reason: Reason, end: str) -> None:
    assert sentence_of(reason).endswith(f"none is checked {end}.")


@pytest.mark.parametrize("kind", [kind for kind in AttemptKind if not kind.mailed])
def test_users_factors_says_the_same(kind: AttemptKind) -> None:
    """A password reset ends the pause of wrong passwords alone."""
    assert pause_in_words(Pause(kind, None)).endswith(BY_RESET if kind is AttemptKind.PASSWORD else BY_UNLOCK)


@pytest.mark.parametrize("kind", AttemptKind)
def test_a_pause_says_since_when_and_until_when(kind: AttemptKind) -> None:
    words = pause_in_words(Pause(kind, NOW + timedelta(hours=1), NOW))
    assert " since 2026-" in words
    assert words.rindex(" until 2026-") > words.index(" since ")
