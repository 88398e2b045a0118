"""What is derived from the key that signs: once, the same in every process, and another for another key."""

import pytest

from vestibule.crypto import jwk
from vestibule.crypto.seal import CannotUnseal
from vestibule.model.signing_keys import REFRESH_ALGORITHM, KeySet

KEY = jwk.generate(algorithm=REFRESH_ALGORITHM)
HERE, ELSEWHERE = KeySet.of(KEY), KeySet.of(jwk.private_key(KEY.to_pem()))
OF_ANOTHER_KEY = KeySet.of(jwk.generate(algorithm=REFRESH_ALGORITHM))


def test_it_is_derived_once() -> None:
    assert HERE.cookie_seal is HERE.cookie_seal
    assert HERE.form_key is HERE.form_key


def test_every_process_with_the_key_has_the_same() -> None:
    assert ELSEWHERE.cookie_seal.open(HERE.cookie_seal.close(b"content", "name"), "name") == b"content"
    assert ELSEWHERE.form_key == HERE.form_key


def test_another_key_opens_nothing() -> None:
    with pytest.raises(CannotUnseal):
        OF_ANOTHER_KEY.cookie_seal.open(HERE.cookie_seal.close(b"content", "name"), "name")
    assert OF_ANOTHER_KEY.form_key != HERE.form_key
