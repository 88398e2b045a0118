"""WebAuthn: an honest authenticator is believed, of every kind that was asked for; one that lies is not, however."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode

from tests.harness.authenticator import (
    AT,
    BE,
    BS,
    ED,
    HONEST,
    ORIGIN,
    UP,
    UV,
    Authenticator,
    Json,
    Lie,
    cose_of,
    packed,
)
from vestibule.crypto import webauthn
from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.relying_party import RelyingParty, covers, origins_within
from vestibule.crypto.webauthn import Assertion, CredentialName, NewCredential, NotVerified

PARTY = RelyingParty("localhost", "Vestibule", (ORIGIN, "http://localhost:3000"))
HANDLE = "3f0b7a52-8d0e-4a4f-a9a6-0c2f4b1d9e11"


def created(authenticator: Authenticator, lie: Lie = HONEST, challenge: bytes | None = None) -> NewCredential:
    challenge = challenge or random_bytes(32)
    options = webauthn.creation_options(PARTY, challenge, HANDLE, "ada@example.com", [])
    return webauthn.check_registration(PARTY, challenge, authenticator.create(json.loads(json.dumps(options)), lie))


def signed(
    authenticator: Authenticator, stored: NewCredential, lie: Lie = HONEST, *, verify_user: bool = True
) -> Assertion:
    challenge = random_bytes(32)
    options = webauthn.request_options(PARTY, challenge, verify_user=verify_user)
    answer = authenticator.get(json.loads(json.dumps(options)), lie)
    return webauthn.check_assertion(
        PARTY,
        challenge,
        answer,
        stored.public_key,
        backup_eligible=stored.backup_eligible,
        verify_user=verify_user,
    )


KEYS: dict[str, Callable[[], Any]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("make_key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("synced", [False, True])
def test_an_honest_authenticator_is_believed(make_key: Callable[[], Any], synced: bool) -> None:
    authenticator = Authenticator(make_key=make_key, synced=synced)
    stored = created(authenticator)
    assert stored.transports == (("hybrid", "internal") if synced else ("usb",))
    assert (stored.user_verified, stored.backup_eligible, stored.backed_up) == (True, synced, synced)
    assert signed(authenticator, stored) == Assertion(0 if synced else 1, True, synced)
    assert signed(authenticator, stored) == Assertion(0 if synced else 2, True, synced)


def test_a_front_end_of_the_domain_may_ask_too() -> None:
    authenticator = Authenticator(origin="http://localhost:3000")
    assert signed(authenticator, created(authenticator))


def test_a_key_that_attests_itself_is_believed() -> None:
    authenticator = Authenticator()
    key = ec.generate_private_key(ec.SECP256R1())
    authenticator.make_key = lambda: key
    challenge = random_bytes(32)
    options = webauthn.creation_options(PARTY, challenge, HANDLE, "ada@example.com", [])
    client: list[bytes] = []

    def attest(it: Json) -> Json:
        return packed(key, client[0])(it)

    lie = Lie(client_json=lambda text: client.append(text) or text, attestation=attest)
    assert webauthn.check_registration(PARTY, challenge, authenticator.create(options, lie))


def test_whoever_does_not_verify_is_believed_as_a_second_step_only() -> None:
    authenticator = Authenticator(verifies=False)
    stored = created(authenticator)
    assert not stored.user_verified
    assert signed(authenticator, stored, verify_user=False) == Assertion(1, False, False)
    with pytest.raises(NotVerified, match="not verified"):
        signed(authenticator, stored)


def test_the_counter_is_the_callers_to_judge() -> None:
    authenticator = Authenticator()
    stored = created(authenticator)
    assert signed(authenticator, stored, Lie(count=7)).sign_count == 7
    assert signed(authenticator, stored, Lie(count=7)).sign_count == 7


def test_a_backup_may_come_and_go() -> None:
    authenticator = Authenticator(synced=True)
    stored = created(authenticator, Lie(off=BS))
    assert (stored.backup_eligible, stored.backed_up) == (True, False)
    assert signed(authenticator, stored).backed_up
    assert not signed(authenticator, stored, Lie(off=BS)).backed_up


def test_every_option_says_what_is_asked_for() -> None:
    known = [CredentialName("AQID", ("usb",))]
    made = webauthn.creation_options(PARTY, b"c" * 32, HANDLE, "ada@example.com", known)
    assert made["rp"] == {"id": "localhost", "name": "Vestibule"}
    assert websafe_decode(made["user"]["id"]).decode() == HANDLE
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert [each["alg"] for each in made["pubKeyCredParams"]] == [-8, -7, -257]
    assert made["excludeCredentials"] == [{"id": "AQID", "type": "public-key", "transports": ["usb"]}]
    asked = webauthn.request_options(PARTY, b"c" * 32, verify_user=True)
    assert (asked["rpId"], asked["allowCredentials"], asked["userVerification"]) == ("localhost", [], "required")
    assert webauthn.request_options(PARTY, b"c" * 32, known, verify_user=False)["userVerification"] == "preferred"


def within(answer: Json, **members: Any) -> Json:
    return {**answer, "response": {**answer["response"], **members}}


def without(answer: Json, name: str) -> Json:
    return {**answer, "response": {key: value for key, value in answer["response"].items() if key != name}}


def bare(answer: Json, name: str) -> Json:
    return {key: value for key, value in answer.items() if key != name}


def with_id(length: int) -> Callable[[Json], Json]:
    encoded = websafe_encode(bytes(length))
    return lambda answer: {**answer, "id": encoded, "rawId": encoded}


OTHER = websafe_encode(b"o" * 32)
DEEP = b"\x81" * 9000
P384 = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
WEAK = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
HUGE = {1: 3, 3: -257, -1: b"\xff" * 2048, -2: b"\x01\x00\x01"}
ES = cose_of(ec.generate_private_key(ec.SECP256R1()))

# What both kinds of answer can lie about.
COMMON = {
    "another origin": Lie(client={"origin": "https://evil.example"}),
    "the origin of a site below another name": Lie(client={"origin": "http://localhost.evil.example:8000"}),
    "the origin with a slash": Lie(client={"origin": f"{ORIGIN}/"}),
    "the origin in capitals": Lie(client={"origin": ORIGIN.upper()}),
    "another port": Lie(client={"origin": "http://localhost:8001"}),
    "no origin": Lie(client={"origin": None}),
    "a list of origins": Lie(client={"origin": [ORIGIN]}),
    "another rp id": Lie(rp_id="evil.example"),
    "an rp id below ours": Lie(rp_id="app.localhost"),
    "another challenge": Lie(client={"challenge": OTHER}),
    "an empty challenge": Lie(client={"challenge": ""}),
    "no challenge": Lie(client={"challenge": None}),
    "a number as challenge": Lie(client={"challenge": 7}),
    "a type of payment": Lie(client={"type": "payment.get"}),
    "no type": Lie(client={"type": None}),
    "in a frame of another site": Lie(client={"crossOrigin": True}),
    "in a frame, in a word": Lie(client={"crossOrigin": "true"}),
    "in a frame, as a number": Lie(client={"crossOrigin": 1}),
    "in a frame of a named site": Lie(client={"topOrigin": "https://evil.example"}),
    "client data twice": Lie(client_json=lambda text: text[:-1] + b', "type": "webauthn.get"}'),
    "client data as a list": Lie(client_json=lambda text: b"[" + text + b"]"),
    "client data cut off": Lie(client_json=lambda text: text[:-1]),
    "client data in another encoding": Lie(client_json=lambda text: text.decode().encode("utf-16")),
    "client data nested deeply": Lie(client_json=lambda text: b"[" * 4000),
    "no user": Lie(off=UP),
    "backed up, but never eligible": Lie(on=BS, off=BE),
    "authenticator data cut off": Lie(auth_data=lambda data: data[:36]),
    "authenticator data with more behind it": Lie(auth_data=lambda data: data + b"\0"),
    "extensions that are not there": Lie(on=ED),
    "two ids": Lie(answer=lambda answer: {**answer, "id": OTHER}),
    "an id that is no text": Lie(answer=lambda answer: {**answer, "id": 7}),
    "an id in another alphabet": Lie(answer=lambda answer: {**answer, "id": "+/+/", "rawId": "+/+/"}),
    "no raw id": Lie(answer=lambda answer: bare(answer, "rawId")),
    "no response": Lie(answer=lambda answer: bare(answer, "response")),
    "a response that is a list": Lie(answer=lambda answer: {**answer, "response": []}),
    "another type": Lie(answer=lambda answer: {**answer, "type": "password"}),
    "no client data": Lie(answer=lambda answer: without(answer, "clientDataJSON")),
    "nothing": Lie(answer=lambda answer: {}),
}
AT_CREATION = COMMON | {
    "the type of a sign-in": Lie(client={"type": "webauthn.get"}),
    "no credential": Lie(off=AT),
    "another id than the one attested": Lie(answer=lambda answer: {**answer, "id": OTHER, "rawId": OTHER}),
    "an algorithm that is none": Lie(cose={1: 2, 3: 0, -1: 1, -2: ES[-2], -3: ES[-3]}),
    "no algorithm": Lie(cose={1: 2, -1: 1, -2: ES[-2], -3: ES[-3]}),
    "RS1": Lie(cose={1: 3, 3: -65535, -1: b"\xff" * 256, -2: b"\x01\x00\x01"}),
    "HMAC": Lie(cose={1: 4, 3: 5, -1: b"k" * 32}),
    "ES256 on another curve": Lie(
        cose={1: 2, 3: -7, -1: 2, -2: P384.x.to_bytes(48, "big"), -3: P384.y.to_bytes(48, "big")}
    ),
    "an elliptic key that says RS256": Lie(cose={1: 2, 3: -257, -1: 1, -2: ES[-2], -3: ES[-3]}),
    "an elliptic key that says EdDSA": Lie(cose={1: 2, 3: -8, -1: 1, -2: ES[-2], -3: ES[-3]}),
    "a point on no curve": Lie(cose={1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x01" * 32}),
    "RSA of 1024 bits": Lie(cose={1: 3, 3: -257, -1: WEAK.n.to_bytes(128, "big"), -2: b"\x01\x00\x01"}),
    "RSA of 16384 bits": Lie(cose=HUGE),
    "a key of nothing": Lie(cose={}),
    "an attestation of another form": Lie(attestation=lambda it: {**it, "fmt": "fido-u2f"}),
    "an attestation of a telephone": Lie(attestation=lambda it: {**it, "fmt": "android-safetynet"}),
    "an attestation without a name": Lie(attestation=lambda it: {"attStmt": {}, "authData": it["authData"]}),
    "a list for the attestation's name": Lie(attestation=lambda it: {**it, "fmt": ["none"]}),
    "none, with a statement": Lie(attestation=lambda it: {**it, "attStmt": {"sig": b"x"}}),
    "signed by nobody": Lie(attestation=lambda it: {**it, "fmt": "packed", "attStmt": {"alg": -7, "sig": b"x"}}),
    "no authenticator data": Lie(attestation=lambda it: {"fmt": "none", "attStmt": {}}),
    "CBOR cut off": Lie(attestation=lambda it: cbor.encode(it)[:-1]),
    "CBOR nested deeply": Lie(attestation=lambda it: DEEP),
    "CBOR that promises more than there is": Lie(attestation=lambda it: b"\x9b" + b"\x7f" * 8),
    "CBOR of another thing": Lie(attestation=lambda it: b"\x01"),
}
AT_SIGN_IN = COMMON | {
    "the type of a registration": Lie(client={"type": "webauthn.create"}),
    "no verification": Lie(off=UV),
    "a signature of nobody": Lie(signature=lambda signature: b"x"),
    "no signature": Lie(signature=lambda signature: b""),
    "a signature with a bit flipped": Lie(signature=lambda signature: signature[:-1] + bytes([signature[-1] ^ 1])),
    "authenticator data changed after it was signed": Lie(
        answer=lambda answer: within(
            answer,
            authenticatorData=websafe_encode(websafe_decode(answer["response"]["authenticatorData"])[:-1] + b"\x09"),
        )
    ),
    "eligible for a backup all of a sudden": Lie(on=BE),
    "without the member signature": Lie(answer=lambda answer: without(answer, "signature")),
    "a user handle that is a number": Lie(answer=lambda answer: within(answer, userHandle=7)),
}


@pytest.mark.parametrize("lie", AT_CREATION.values(), ids=AT_CREATION)
def test_f10_no_lie_of_an_authenticator_makes_a_passkey(lie: Lie) -> None:
    with pytest.raises(NotVerified):
        created(Authenticator(), lie)


@pytest.mark.parametrize("lie", AT_SIGN_IN.values(), ids=AT_SIGN_IN)
def test_f10_no_lie_of_an_authenticator_is_a_proof(lie: Lie) -> None:
    authenticator = Authenticator()
    stored = created(authenticator)
    with pytest.raises(NotVerified):
        signed(authenticator, stored, lie)


def test_f10_eligibility_for_a_backup_does_not_go_away() -> None:
    authenticator = Authenticator(synced=True)
    stored = created(authenticator)
    with pytest.raises(NotVerified, match="eligibility"):
        signed(authenticator, stored, Lie(off=BE | BS))


def test_f10_the_key_of_another_signs_for_nobody() -> None:
    mine, other = Authenticator(), Authenticator()
    created(mine)
    with pytest.raises(NotVerified):
        signed(mine, created(other))


@pytest.mark.parametrize(("length", "fits"), [(16, True), (1023, True), (1024, False)])
def test_an_id_has_a_greatest_length(length: int, fits: bool) -> None:
    authenticator = Authenticator(make_id=lambda: bytes(length))
    if fits:
        assert len(base64.urlsafe_b64decode(created(authenticator).credential_id + "===")) == length
        return
    with pytest.raises(NotVerified, match="too long"):
        created(authenticator)


def test_what_an_assertion_names_is_read_before_anything_is_looked_up() -> None:
    authenticator = Authenticator()
    stored = created(authenticator)
    options = webauthn.request_options(PARTY, b"c" * 32, verify_user=True)
    assert webauthn.named_in(authenticator.get(options)) == (stored.credential_id, HANDLE)
    nameless = Lie(answer=lambda answer: without(answer, "userHandle"))
    assert webauthn.named_in(authenticator.get(options, nameless)) == (stored.credential_id, None)
    for lie in (
        Lie(answer=lambda answer: within(answer, userHandle=websafe_encode(b"\xff"))),
        Lie(answer=with_id(1024)),
        Lie(answer=lambda answer: bare(answer, "rawId")),
    ):
        with pytest.raises(NotVerified):
            webauthn.named_in(authenticator.get(options, lie))


@pytest.mark.parametrize(
    ("domain", "host", "covered"),
    [
        ("example.com", "example.com", True),
        ("example.com", "auth.example.com", True),
        ("example.com", "badexample.com", False),
        ("auth.example.com", "example.com", False),
        ("com", "example.com", False),
        ("localhost", "localhost", True),
        ("localhost", "app.localhost", False),
        ("0.0.1", "127.0.0.1", False),
    ],
)
def test_a_domain_covers_the_hosts_that_browsers_accept(domain: str, host: str, covered: bool) -> None:
    assert covers(domain, host) is covered


def test_the_origins_are_those_of_the_domain() -> None:
    listed = [
        "https://auth.example.com",
        "https://app.example.com:8443",
        "https://example.org",
        "capacitor://localhost",
    ]
    listed += listed
    assert origins_within("example.com", listed) == ("https://auth.example.com", "https://app.example.com:8443")
