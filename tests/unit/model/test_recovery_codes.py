"""Recovery codes: how they look, and how they may be typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestibule.model.recovery_codes import CODES, RecoveryCode, mint_codes, read_code

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
WRITTEN = st.builds(RecoveryCode, st.integers(0, 9), st.text(ALPHABET, min_size=10, max_size=10))


def test_f5_ten_codes_one_for_each_row_and_never_the_same_again() -> None:
    sets = [mint_codes() for _ in range(50)]
    assert all([code.number for code in codes] == list(range(CODES)) for codes in sets)
    assert len({code.secret for codes in sets for code in codes}) == 50 * CODES
    assert {letter for codes in sets for code in codes for letter in code.secret} == set(ALPHABET)


@given(WRITTEN)
def test_f5_what_is_shown_is_read(code: RecoveryCode) -> None:
    assert read_code(code.text) == code


@given(WRITTEN, st.sampled_from([str.upper, str.title]), st.sampled_from(["", " ", " - ", "\n"]))
def test_f5_case_and_what_stands_between_do_not_matter(code: RecoveryCode, case: object, between: str) -> None:
    assert callable(case)
    assert read_code(case(code.text).replace("-", between)) == code


def test_f5_what_looks_alike_is_taken_for_it() -> None:
    assert read_code("7-abcde-fgh0l") == read_code("7-abcde-fghO1") == RecoveryCode(7, "abcdefgh01")


@pytest.mark.parametrize(
    "text",
    ["", "7", "123456", "7-abcde", "7-abcde-fghju", "7-abcde-fghjkm", "x-abcde-fghjk", "\u0667-abcde-fghjk", "\0" * 11],
)
def test_f5_nothing_else_is_a_code(text: str) -> None:
    assert read_code(text) is None
