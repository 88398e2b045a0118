"""Sealing: opens under the same secret for the same name, whole; nothing else opens at all."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestibule.crypto.seal import CannotUnseal, Seal

SECRET = "a secret of more than thirty-two characters"
NAME = "signing-key:access:kid"
CONTENT = b"-----BEGIN PRIVATE KEY----- 32 b"  # 12 + 32 + 16 bytes: base64 without a spare bit
PREFIX = "v1."


@pytest.fixture(scope="module")
def seal() -> Seal:
    return Seal(SECRET)


def cannot_open(seal: Seal, sealed: str, name: str = NAME) -> bool:
    try:
        seal.open(sealed, name)
    except CannotUnseal:
        return True
    return False


@given(content=st.binary(max_size=300), name=st.text(st.characters(codec="utf-8"), max_size=40))
@settings(deadline=None, max_examples=100)
def test_what_was_sealed_opens_in_another_process_with_the_same_secret(content: bytes, name: str) -> None:
    assert Seal(SECRET).open(Seal(SECRET).close(content, name), name) == content


def test_sealing_twice_gives_two_texts_that_do_not_show_the_content(seal: Seal) -> None:
    texts = {seal.close(CONTENT, NAME) for _ in range(100)}
    assert len(texts) == 100
    assert not any(CONTENT in base64.urlsafe_b64decode(text.removeprefix(PREFIX)) for text in texts)


def test_every_changed_bit_is_noticed(seal: Seal) -> None:
    raw = bytearray(base64.urlsafe_b64decode(seal.close(CONTENT, NAME).removeprefix(PREFIX)))
    for place in range(len(raw)):
        for bit in (0x01, 0x80):
            raw[place] ^= bit
            assert cannot_open(seal, PREFIX + base64.urlsafe_b64encode(raw).decode()), place
            raw[place] ^= bit
    assert seal.open(PREFIX + base64.urlsafe_b64encode(raw).decode(), NAME) == CONTENT


def test_every_changed_character_is_noticed(seal: Seal) -> None:
    sealed = seal.close(CONTENT, NAME)
    for place, character in enumerate(sealed):
        for other in {"A", "!", "é"} - {character}:
            assert cannot_open(seal, sealed[:place] + other + sealed[place + 1 :]), (place, other)


def test_every_truncation_is_noticed(seal: Seal) -> None:
    sealed = seal.close(CONTENT, NAME)
    assert all(cannot_open(seal, sealed[:length]) for length in range(len(sealed)))
    assert all(cannot_open(seal, PREFIX + sealed[start:]) for start in range(len(PREFIX) + 1, len(sealed)))


@pytest.mark.parametrize("name", ["", NAME + " ", NAME.upper(), "signing-key:refresh:kid"])
def test_another_name_does_not_open_it(seal: Seal, name: str) -> None:
    assert cannot_open(seal, seal.close(CONTENT, NAME), name)


@pytest.mark.parametrize("secret", ["", SECRET + " ", SECRET.upper(), SECRET[:-1]])
def test_another_secret_does_not_open_it(seal: Seal, secret: str) -> None:
    assert cannot_open(Seal(secret), seal.close(CONTENT, NAME))


@pytest.mark.parametrize("text", ["", "v1", "v1.", "v2.AAAA", "v1.AAAA", "v1." + "A" * 15, "v1.\ud800", "v1.===="])
def test_what_was_never_sealed_does_not_open(seal: Seal, text: str) -> None:
    assert cannot_open(seal, text)
