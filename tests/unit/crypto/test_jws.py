"""Signed tokens: RFC 7515's own example through our key, and our own tokens through who would bend them.

What else may be sent as a token is in `tests/stories/hostile/tokens.py`.
"""

import base64
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc import jws as library

from tests.harness.world import key_ring
from vestibule.crypto import jws
from vestibule.crypto.jwk import PrivateKey, private_key
from vestibule.crypto.jws import MAX_TOKEN_BYTES, InvalidToken

TYP = "at+jwt"
CLAIMS: dict[str, Any] = {"sub": "ada", "n": 1, "name": "Ada Løvelace"}

# RFC 7515, appendix A.2: the key's public modulus, private exponent and primes, and the whole token.
MODULUS = (
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-p"
    "CgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapH"
    "g665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4"
    "FRWyuXpoQ"
)
EXPONENT = (
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-p"
    "WJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2"
    "QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhO"
    "VRuOopznQ"
)
PAYLOAD = b'{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}'
TOKEN = (
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
    "VlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9"
    "CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO"
    "--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_I"
    "oypGlUPQGe77Rw"
)


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def rfc_key() -> PrivateKey:
    n, e, d = number(MODULUS), 65537, number(EXPONENT)
    p, q = rsa.rsa_recover_prime_factors(n, e, d)
    crt = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    key = rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(e, n)).private_key()
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return private_key(key.private_bytes(*pem))


def test_the_rfc_s_example_is_signed_to_the_letter() -> None:
    key = rfc_key()
    signed = library.serialize_compact({"alg": "RS256"}, PAYLOAD, key.jwk, algorithms=[key.public.alg])
    assert signed == TOKEN


def test_the_rfc_s_example_is_verified() -> None:
    public = rfc_key().public
    assert library.deserialize_compact(TOKEN, public.jwk, algorithms=[public.alg]).payload == PAYLOAD


def test_our_own_verification_refuses_the_rfc_s_example_for_its_header() -> None:
    public = rfc_key().public
    with pytest.raises(InvalidToken):
        jws.verify(TOKEN, {public.kid: public}, TYP)


def test_the_same_claims_and_key_give_the_same_text_which_says_what_was_signed() -> None:
    keys = key_ring().access
    text = jws.sign(CLAIMS, keys.signing, TYP)
    assert text == jws.sign(CLAIMS, keys.signing, TYP)
    assert jws.verify(text, keys.checking, TYP) == CLAIMS


def test_every_changed_character_of_a_token_is_noticed() -> None:
    keys = key_ring().access
    text = jws.sign(CLAIMS, keys.signing, TYP)
    for place, character in enumerate(text):
        other = "A" if character != "A" else "B"
        assert refused(text[:place] + other + text[place + 1 :]), place


def test_a_last_character_with_other_spare_bits_is_noticed() -> None:
    text = jws.sign(CLAIMS, key_ring().access.signing, TYP)
    spellings = [text[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    assert [spelling for spelling in spellings if not refused(spelling)] == [text]


def test_neither_another_kind_nor_another_key_set_takes_it() -> None:
    text = jws.sign(CLAIMS, key_ring().access.signing, TYP)
    assert refused(text, typ="rt+jwt")
    with pytest.raises(InvalidToken):
        jws.verify(text, key_ring().refresh.checking, TYP)
    with pytest.raises(InvalidToken):
        jws.verify(text, {}, TYP)


def test_eight_kilobytes_are_looked_at_and_one_byte_more_is_not() -> None:
    keys = key_ring().access
    smallest = len(jws.sign({"pad": ""}, keys.signing, TYP))
    room = (MAX_TOKEN_BYTES - smallest) // 4 * 3
    fits, too_long = (jws.sign({"pad": "x" * length}, keys.signing, TYP) for length in (room - 3, room + 3))
    assert len(fits) <= MAX_TOKEN_BYTES < len(too_long)
    assert not refused(fits)
    assert refused(too_long)


def test_an_eight_megabyte_header_costs_nothing() -> None:
    """T7: an eight megabyte header costs nothing."""
    token = "A" * 8 * 2**20 + ".AAAA.AAAA"
    start = time.thread_time()
    assert refused(token)
    assert time.thread_time() - start < 0.05


@given(st.text(max_size=80) | st.from_regex(r"[\w-]{0,30}\.[\w-]{0,30}\.[\w-]{0,30}", fullmatch=True))
@example("..")
@example("e30.e30.e30")
@example("A.A.A")
@example("\ud800.\ud800.\ud800")
@settings(deadline=None, max_examples=300)
def test_arbitrary_text_is_refused_and_nothing_worse(text: str) -> None:
    assert refused(text)


def refused(token: str, typ: str = TYP) -> bool:
    try:
        jws.verify(token, key_ring().access.checking, typ)
    except InvalidToken:
        return True
    return False
