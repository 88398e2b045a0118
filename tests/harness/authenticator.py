"""An authenticator and its browser, as the test controls them: it makes passkeys, signs with them, and lies if told to.

Its CBOR and keys are those of `fido2`, which shares no code with the library that the server checks with.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256, RS256, CoseKey, EdDSA
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import Aaguid

from vestibule.crypto.entropy import random_bytes

ORIGIN = "http://localhost:8000"
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
ICLOUD = "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"

Json = dict[str, Any]
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Lie:
    """How an answer differs from an honest one. `client`: members of the client data; one of None is left out. `on` and
    `off`: flags of the authenticator data to set and to clear. The functions change what they are given.
    """

    client: Mapping[str, Any] = field(default_factory=dict)
    on: int = 0
    off: int = 0
    rp_id: str | None = None
    count: int | None = None
    cose: Mapping[int, Any] | None = None
    client_json: Callable[[bytes], bytes] = lambda text: text
    auth_data: Callable[[bytes], bytes] = lambda data: data
    attestation: Callable[[Json], Any] = lambda it: it
    signature: Callable[[bytes], bytes] = lambda signature: signature
    answer: Callable[[Json], Json] = lambda answer: answer


HONEST = Lie()


@dataclass
class Passkey:
    """A credential on the authenticator."""

    id: bytes
    rp_id: str
    user_handle: bytes
    key: Key
    flags: int
    count: int = 0


@dataclass
class Authenticator:
    """Makes discoverable credentials. `synced`: they are backed up, and do not count. `verifies`: it asks for a finger
    or a PIN. `make_key` says which algorithm its keys have.
    """

    origin: str = ORIGIN
    synced: bool = False
    verifies: bool = True
    aaguid: str = "00000000-0000-0000-0000-000000000000"
    make_key: Callable[[], Key] = lambda: ec.generate_private_key(ec.SECP256R1())
    make_id: Callable[[], bytes] = lambda: random_bytes(32)
    passkeys: list[Passkey] = field(default_factory=list)

    @property
    def flags(self) -> int:
        return UP | (UV if self.verifies else 0) | (BE | BS if self.synced else 0)

    def create(self, options: Json, lie: Lie = HONEST) -> Json:
        """Return what `navigator.credentials.create()` returns, as JSON."""
        handle = websafe_decode(options["user"]["id"])
        made = Passkey(self.make_id(), options["rp"]["id"], handle, self.make_key(), self.flags)
        self.passkeys.append(made)
        cose = dict(lie.cose) if lie.cose is not None else dict(cose_of(made.key))
        attested = bytes(Aaguid.parse(self.aaguid)) + len(made.id).to_bytes(2, "big") + made.id + cbor.encode(cose)
        auth_data = self._auth_data(made, lie, AT, b"" if lie.off & AT else attested)
        client = self._client_data("webauthn.create", options, lie)
        attestation = lie.attestation({"fmt": "none", "attStmt": {}, "authData": auth_data})
        response = {
            "clientDataJSON": websafe_encode(client),
            "attestationObject": websafe_encode(
                cbor.encode(attestation) if isinstance(attestation, dict) else attestation
            ),
            "transports": ["internal", "hybrid"] if self.synced else ["usb"],
        }
        return lie.answer(_answer(made, response))

    def get(self, options: Json, lie: Lie = HONEST, passkey: Passkey | None = None) -> Json:
        """Return what `navigator.credentials.get()` returns, as JSON, with `passkey` or the newest that is allowed."""
        allowed = {websafe_decode(each["id"]) for each in options.get("allowCredentials", ())}
        used = passkey or [each for each in self.passkeys if not allowed or each.id in allowed][-1]
        used.count += 0 if self.synced else 1
        auth_data = self._auth_data(used, lie)
        client = self._client_data("webauthn.get", options, lie)
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(auth_data),
            "signature": websafe_encode(lie.signature(sign(used.key, auth_data + sha256(client)))),
            "userHandle": websafe_encode(used.user_handle),
        }
        return lie.answer(_answer(used, response))

    def _auth_data(self, passkey: Passkey, lie: Lie, flags: int = 0, attested: bytes = b"") -> bytes:
        flags = (self.flags | flags | lie.on) & ~lie.off
        count = passkey.count if lie.count is None else lie.count
        rp_id_hash = sha256((lie.rp_id or passkey.rp_id).encode())
        return lie.auth_data(rp_id_hash + bytes([flags]) + count.to_bytes(4, "big") + attested)

    def _client_data(self, kind: str, options: Json, lie: Lie) -> bytes:
        honest = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        members = {name: value for name, value in {**honest, **lie.client}.items() if value is not None}
        return lie.client_json(json.dumps(members).encode())


def packed(key: Key, client: bytes) -> Callable[[Json], Json]:
    """Return a `Lie.attestation` that makes the new key sign its own attestation (WebAuthn, section 8.2)."""

    def attest(it: Json) -> Json:
        signature = sign(key, it["authData"] + sha256(client))
        return {**it, "fmt": "packed", "attStmt": {"alg": cose_of(key)[3], "sig": signature}}

    return attest


def cose_of(key: Key) -> CoseKey:
    kinds = {ec.EllipticCurvePrivateKey: ES256, ed25519.Ed25519PrivateKey: EdDSA, rsa.RSAPrivateKey: RS256}
    kind = next(cose for private, cose in kinds.items() if isinstance(key, private))
    return kind.from_cryptography_key(key.public_key())


def sign(key: Key, data: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), SHA256())
    return key.sign(data)


def _answer(passkey: Passkey, response: Json) -> Json:
    encoded = websafe_encode(passkey.id)
    return {
        "id": encoded,
        "rawId": encoded,
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": response,
    }
