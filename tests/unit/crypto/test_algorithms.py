"""RS256, ES256 and EdDSA: each key signs and checks with its own algorithm, and no other, whatever a token says.

T1, T12: the algorithm comes from the key.
"""

import base64
import json
from itertools import product

import pytest
from joserfc import jws as other_jws
from joserfc.jwk import JWKRegistry

from tests.stories.hostile.forgery import compose, encode
from vestibule.crypto import jwk, jws
from vestibule.crypto.jwk import ALGORITHMS, PrivateKey, UnusableKey

TYP = "at+jwt"
CLAIMS = {"sub": "ada", "iat": 1}
KEYS = {algorithm: jwk.generate(2048, algorithm) for algorithm in ALGORITHMS}
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def checks(token: str, key: PrivateKey) -> bool:
    try:
        return jws.verify(token, {key.kid: key.public}, TYP) == CLAIMS
    except jws.InvalidToken:
        return False


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # RFC 9864 has another name for it
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_t1_a_key_signs_and_checks_and_another_library_agrees(algorithm: str) -> None:
    key = KEYS[algorithm]
    token = jws.sign(CLAIMS, key, TYP)
    assert checks(token, key)
    assert json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "==")) == {
        "alg": algorithm,
        "kid": key.kid,
        "typ": TYP,
    }
    published = JWKRegistry.import_key(key.public.as_jwk())
    assert json.loads(other_jws.deserialize_compact(token, published, algorithms=[algorithm]).payload) == CLAIMS
    assert token == jws.sign(CLAIMS, key, TYP), "racers get one and the same text"


@pytest.mark.parametrize(("mine", "said"), [pair for pair in product(ALGORITHMS, ALGORITHMS) if pair[0] != pair[1]])
def test_t1_no_other_algorithm_of_ours_is_taken_for_it(mine: str, said: str) -> None:
    key, other = KEYS[mine], KEYS[said]
    good = jws.sign(CLAIMS, key, TYP)
    header = {"alg": said, "kid": key.kid, "typ": TYP}
    _, claims, signature = good.split(".")
    assert not checks(f"{encode(json.dumps(header).encode())}.{claims}.{signature}", key)
    renamed = jws.sign(CLAIMS, other, TYP).split(".")
    assert not checks(f"{encode(json.dumps({**header, 'alg': mine}).encode())}.{claims}.{renamed[2]}", key)
    assert not checks(compose({**header, "alg": said}, CLAIMS, lambda _: b"\0" * 64), key)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_t12_a_key_survives_its_pem_and_its_publication(algorithm: str) -> None:
    key = KEYS[algorithm]
    assert jwk.private_key(key.to_pem()).kid == key.kid
    assert jwk.public_key(key.public.to_pem()).kid == key.kid
    published = key.public.as_jwk()
    assert jwk.published_key(published).kid == key.kid
    assert not published.keys() & {"d", "p", "q", "dp", "dq", "qi"}
    assert key.public.rsa_bits >= 2048


@pytest.mark.parametrize(("mine", "said"), [pair for pair in product(ALGORITHMS, ALGORITHMS) if pair[0] != pair[1]])
def test_t12_a_published_key_is_for_the_algorithm_of_its_kind(mine: str, said: str) -> None:
    with pytest.raises(UnusableKey):
        jwk.published_key({**KEYS[mine].public.as_jwk(), "alg": said})


def test_the_other_writing_of_an_ecdsa_signature_says_the_same_and_so_is_no_way_around_anything() -> None:
    """T9: (r, n - s) is a signature too; which is why what is revoked is told by the session and never by the text."""
    key = KEYS["ES256"]
    signed, _, signature = jws.sign(CLAIMS, key, TYP).rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    s = int.from_bytes(raw[32:])
    other = f"{signed}.{encode(raw[:32] + (ORDER_OF_P256 - s).to_bytes(32))}"
    assert checks(other, key)
    assert len(raw) == 64
