"""Codes of authenticator apps: the RFC's own vectors, and pyotp as a second opinion."""

from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestibule.crypto import totp

RFC_SECRET = b"12345678901234567890"
# RFC 4226, appendix D.
HOTP = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
# RFC 6238, appendix B, SHA-1, without the first two of its eight digits.
TOTP = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}
SECRETS = st.binary(min_size=20, max_size=20)
SECONDS = st.integers(min_value=150, max_value=2**33)


def test_f1_the_vectors_of_rfc_4226() -> None:
    assert tuple(totp.code_of(RFC_SECRET, counter) for counter in range(10)) == HOTP


@pytest.mark.parametrize("seconds", [*TOTP, 20000000000])
def test_f1_the_vectors_of_rfc_6238(seconds: int) -> None:
    expected = TOTP.get(seconds, "353130")
    assert totp.code_of(RFC_SECRET, totp.step_at(seconds)) == expected
    assert totp.step_of(expected, RFC_SECRET, seconds) == seconds // 30


@given(SECRETS, SECONDS)
def test_f1_pyotp_gives_the_same_codes(secret: bytes, seconds: int) -> None:
    oracle = pyotp.TOTP(totp.key_of(secret).replace(" ", ""))
    assert totp.code_of(secret, totp.step_at(seconds)) == oracle.at(seconds)


@given(SECRETS, SECONDS, st.integers(min_value=-4, max_value=4))
def test_f1_the_step_before_and_the_one_after_count_and_no_other(secret: bytes, seconds: int, away: int) -> None:
    now = totp.step_at(seconds)
    found = totp.step_of(totp.code_of(secret, now + away), secret, seconds)
    near = {totp.code_of(secret, now + each): now + each for each in (1, -1, 0)}
    assert found == near.get(totp.code_of(secret, now + away))
    assert abs(away) > 1 or found is not None


@pytest.mark.parametrize("text", ["", "12345", "1234567", "12345a", "१२३४५६", "123 456", "123456\n", "²23456"])
def test_f1_nothing_else_is_a_code(text: str) -> None:
    assert not totp.is_code(text)
    assert totp.step_of(text, RFC_SECRET, 59) is None


def test_f1_a_secret_has_160_bits_and_is_another_each_time() -> None:
    secrets = {totp.mint_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {20}


ISSUERS = st.text(st.characters(exclude_categories=["C"], exclude_characters=":"), min_size=1, max_size=20)


@given(SECRETS, ISSUERS, st.emails())
def test_f1_apps_read_the_uri(secret: bytes, issuer: str, email: str) -> None:
    uri = urlsplit(totp.uri_of(secret, issuer, email))
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", f"/{issuer}:{email}")
    query = parse_qs(uri.query, keep_blank_values=True)
    assert query == {"secret": [totp.key_of(secret).replace(" ", "")], "issuer": [issuer]}
    assert pyotp.parse_uri(uri.geturl()).at(59) == totp.code_of(secret, 1)
