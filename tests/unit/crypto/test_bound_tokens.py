"""Bound tokens: good for their subject, under their key, and for nothing else."""

import pytest

from vestibule.crypto.bound_tokens import belongs, key_from, mint

KEY = key_from(b"a secret")


def test_a_token_belongs_to_its_subject_and_key_alone() -> None:
    token = mint(KEY, "ada")
    assert belongs(token, KEY, "ada")
    assert not belongs(token, KEY, "grace")
    assert not belongs(token, key_from(b"another secret"), "ada")


def test_no_two_are_alike() -> None:
    assert len({mint(KEY, "ada") for _ in range(100)}) == 100


def test_the_key_is_not_the_secret() -> None:
    assert KEY != b"a secret"
    assert len(KEY) == 32


TOKEN = mint(KEY, "ada")


NOT_OURS = {
    "nothing": "",
    "too little": "00",
    "cut short": TOKEN[:-2],
    "too long": TOKEN + "00",
    "one half": TOKEN[:32],
    "the other": TOKEN[32:],
    "no digits": "x" * 96,
    "zeros": "0" * 96,
    "backwards": TOKEN[::-1],
    "no ASCII": "é" * 96,
}


# Named, because a token is another at each run, and the workers of pytest-xdist must agree on the names of tests.
@pytest.mark.parametrize("text", NOT_OURS.values(), ids=NOT_OURS)
def test_nothing_else_belongs(text: str) -> None:
    assert not belongs(text, KEY, "ada")


@pytest.mark.parametrize("place", range(0, 96, 5))
def test_a_token_with_one_character_changed_is_none(place: int) -> None:
    other = "0" if TOKEN[place] != "0" else "1"
    assert not belongs(TOKEN[:place] + other + TOKEN[place + 1 :], KEY, "ada")
