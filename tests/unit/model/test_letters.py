"""Letters that could not be sent: how long they wait, and that each kind has its own purpose."""

from datetime import timedelta
from itertools import pairwise

import pytest

from vestibule.model.letters import TOKEN_PURPOSES, LetterKind
from vestibule.model.one_time_tokens import Purpose
from vestibule.model.outbox import retry_after

WAITS = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 8: 128, 9: 256, 10: 300, 11: 300, 17: 300, 18: 300, 10**9: 300}


@pytest.mark.parametrize(("attempts", "seconds"), WAITS.items())
def test_the_wait_doubles_from_a_second_to_five_minutes(attempts: int, seconds: int) -> None:
    assert retry_after(attempts) == timedelta(seconds=seconds)


def test_the_wait_never_shrinks() -> None:
    waits = [retry_after(attempts) for attempts in range(1, 200)]
    assert all(earlier <= later for earlier, later in pairwise(waits))


def test_each_kind_of_letter_carries_a_token_for_its_own_purpose() -> None:
    assert set(TOKEN_PURPOSES.values()) == set(Purpose)
    assert len(TOKEN_PURPOSES) == len(Purpose)
    assert TOKEN_PURPOSES[LetterKind.VERIFY_EMAIL] is Purpose.VERIFY_EMAIL
    assert TOKEN_PURPOSES[LetterKind.RESET_PASSWORD] is Purpose.RESET_PASSWORD
