"""Mailed secrets and the digests kept instead of them."""

import pytest

from vestibule.crypto.opaque import digest, is_secret, mint_secret

# FIPS 180-4 by way of RFC 6234, section 8.5, test vectors 1, 2 and 3 of SHA-256.
SHA_256 = {
    "abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": (
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    "a" * 1_000_000: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}

GOOD = "0123456789abcdef" * 4
NOT_SECRETS = {
    "empty": "",
    "too short": GOOD[:-1],
    "too long": GOOD + "0",
    "upper case": GOOD.upper(),
    "no hexadecimal digit": GOOD[:-1] + "g",
    "a newline after it": GOOD + "\n",
    "a space before it": " " + GOOD[:-1],
    "a NUL inside": GOOD[:-1] + "\0",
    "Arabic digits": "\u0660" * 64,
    "fullwidth digits": "\uff10" * 64,
}


@pytest.mark.parametrize(("text", "expected"), SHA_256.items(), ids=["abc", "two blocks", "a million a", "empty"])
def test_digest_is_sha_256(text: str, expected: str) -> None:
    assert digest(text) == expected


def test_a_minted_secret_has_its_shape_and_never_comes_twice() -> None:
    minted = {mint_secret() for _ in range(1000)}
    assert len(minted) == 1000
    assert all(is_secret(secret) for secret in minted)


@pytest.mark.parametrize("text", NOT_SECRETS.values(), ids=NOT_SECRETS)
def test_what_has_another_shape_is_no_secret(text: str) -> None:
    assert is_secret(GOOD)
    assert not is_secret(text)
