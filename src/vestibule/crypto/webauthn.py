"""WebAuthn Level 3: what a browser is asked for, and the checks of what an authenticator answers.

Only this module imports the library `webauthn`. The library does not check: frames of other sites, the sizes of keys
and ids, the form of the attestation, a change of backup eligibility, and counters. It raises all that its parsers
raise, so any error while an answer is read refuses the answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_registration_credential_json,
    structs,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm

from vestibule.crypto import i_json
from vestibule.crypto.relying_party import RelyingParty

CEREMONY_SECONDS = 300
"""How long a browser may take to answer, in seconds (WebAuthn, section 15.1)."""
MAX_CREDENTIAL_ID_BYTES = 1023  # WebAuthn, section 7.1, step 25
_MAX_KEY_BYTES = 1024  # RSA of 4096 bits takes about 530
_RSA_BITS = range(2048, 4096 + 1)
_ALGORITHMS = [Algorithm.EDDSA, Algorithm.ECDSA_SHA_256, Algorithm.RSASSA_PKCS1_v1_5_SHA_256]
# No attestation is asked for. Browsers then send none, or what the authenticator signed with the new key itself.
_FORMATS = {structs.AttestationFormat.NONE, structs.AttestationFormat.PACKED}
_BACKUP_ELIGIBLE = structs.CredentialDeviceType.MULTI_DEVICE  # the library's name for it
_REQUIRED, _PREFERRED = structs.UserVerificationRequirement.REQUIRED, structs.UserVerificationRequirement.PREFERRED

Answer = Mapping[str, Any]
"""What a browser sends: a `RegistrationResponseJSON` or an `AuthenticationResponseJSON` (sections 5.1.8 and 5.1.9)."""


class NotVerified(ValueError):
    """The answer does not fit the question, or is malformed. The message says why, for a log."""


@dataclass(frozen=True)
class CredentialName:
    """What a browser needs to find a credential: its id, as base64url, and how to reach its authenticator."""

    credential_id: str
    transports: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewCredential:
    """A credential that an authenticator has just made. Ids and keys are base64url; the key is a COSE_Key."""

    credential_id: str
    public_key: str
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    user_verified: bool
    backup_eligible: bool
    backed_up: bool


@dataclass(frozen=True)
class Assertion:
    """What an authenticator has signed: that its user was present, and perhaps verified."""

    sign_count: int
    user_verified: bool
    backed_up: bool


def creation_options(
    party: RelyingParty,
    challenge: bytes,
    user_handle: str,
    user_name: str,
    known: Sequence[CredentialName],
    *,
    verify_user: bool = False,
) -> dict[str, Any]:
    """Return the options for `navigator.credentials.create()` as JSON: for a discoverable credential without
    attestation. Authenticators that have one of the `known` credentials are excluded. `verify_user`: the authenticator
    has to verify its user; otherwise it should.
    """
    options = generate_registration_options(
        rp_id=party.domain,
        rp_name=party.name,
        user_id=user_handle.encode(),
        user_name=user_name,
        challenge=challenge,
        timeout=CEREMONY_SECONDS * 1000,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,  # a discoverable credential
            user_verification=_REQUIRED if verify_user else _PREFERRED,
        ),
        exclude_credentials=_descriptors(known),
        supported_pub_key_algs=_ALGORITHMS,
    )
    return options_to_json_dict(options)


def request_options(
    party: RelyingParty, challenge: bytes, allowed: Sequence[CredentialName] = (), *, verify_user: bool
) -> dict[str, Any]:
    """Return the options for `navigator.credentials.get()` as JSON: for any passkey of this party, or the `allowed`
    ones. `verify_user` as in `creation_options`.
    """
    options = generate_authentication_options(
        rp_id=party.domain,
        challenge=challenge,
        timeout=CEREMONY_SECONDS * 1000,
        allow_credentials=_descriptors(allowed),
        user_verification=_REQUIRED if verify_user else _PREFERRED,
    )
    return options_to_json_dict(options)


def check_registration(
    party: RelyingParty, challenge: bytes, answer: Answer, *, verify_user: bool = False
) -> NewCredential:
    """Return the credential that was made for this challenge (section 7.1); raises `NotVerified`."""
    with _refusing():
        credential = parse_registration_credential_json(_known_members(answer))
        _check_client_data(credential.response.client_data_json)
        if parse_attestation_object(credential.response.attestation_object).fmt not in _FORMATS:
            raise NotVerified("its attestation has a form that was not asked for")
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.domain,
            expected_origin=list(party.origins),
            supported_pub_key_algs=_ALGORITHMS,
            require_user_verification=verify_user,
        )
        _check_new(made.credential_id, credential.raw_id, made.credential_public_key)
    return NewCredential(
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        aaguid=made.aaguid,
        transports=tuple(sorted({transport.value for transport in credential.response.transports or ()})),
        user_verified=made.user_verified,
        backup_eligible=made.credential_device_type is _BACKUP_ELIGIBLE,
        backed_up=made.credential_backed_up,
    )


def check_assertion(
    party: RelyingParty, challenge: bytes, answer: Answer, key: str, *, backup_eligible: bool, verify_user: bool
) -> Assertion:
    """Return what was signed for this challenge with the key of a stored credential (section 7.2); raises
    `NotVerified`. `backup_eligible` is the stored one, which never changes.

    The caller compares the counter with the stored one: passkeys that are synced may not count.
    """
    with _refusing():
        credential = parse_authentication_credential_json(_known_members(answer))
        _check_client_data(credential.response.client_data_json)
        signed = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.domain,
            expected_origin=list(party.origins),
            credential_public_key=base64url_to_bytes(key),
            credential_current_sign_count=0,  # with 0, the library compares no counter
            require_user_verification=verify_user,
        )
    if (signed.credential_device_type is _BACKUP_ELIGIBLE) is not backup_eligible:
        raise NotVerified("its backup eligibility has changed")
    return Assertion(signed.new_sign_count, signed.user_verified, signed.credential_backed_up)


def named_in(answer: Answer) -> tuple[str, str | None]:
    """Return the id of the credential in an assertion, as base64url, and the user handle, or None if it has none.
    Neither is checked yet. Raises `NotVerified`.
    """
    with _refusing():
        credential = parse_authentication_credential_json(_known_members(answer))
        handle = credential.response.user_handle
        name = bytes_to_base64url(credential.raw_id), None if handle is None else handle.decode()
    if len(credential.raw_id) > MAX_CREDENTIAL_ID_BYTES:
        raise NotVerified("its id is too long")
    return name


@contextmanager
def _refusing() -> Iterator[None]:
    """Raise `NotVerified` for any error in the block: it reads what a stranger sent."""
    try:
        yield
    except NotVerified:
        raise
    except Exception as fault:
        raise NotVerified(f"{type(fault).__name__}: {fault}") from None


def _known_members(answer: Answer) -> dict[str, Any]:
    """Return the members that we read. Browsers may send others, with values that the library does not know."""
    return {name: answer[name] for name in ("id", "rawId", "type", "response") if name in answer}


def _check_client_data(text: bytes) -> None:
    """Raise `NotVerified` for client data that two parsers may read differently, and if the page was in a frame of
    another site (section 5.8.1).
    """
    client_data = cast(dict[str, Any], i_json.parse(text))
    if client_data.get("crossOrigin", False) is not False or "topOrigin" in client_data:
        raise NotVerified("it was made in a frame of another site")


def _check_new(credential_id: bytes, raw_id: bytes, key: bytes) -> None:
    """Raise `NotVerified` unless a new credential has one id, and a key of the kinds that were asked for."""
    if credential_id != raw_id or len(credential_id) > MAX_CREDENTIAL_ID_BYTES:
        raise NotVerified("it has two ids, or one that is too long")
    if len(key) > _MAX_KEY_BYTES or not _usable(key):
        raise NotVerified("its key is not of a kind that was asked for")


def _usable(key: bytes) -> bool:
    decoded = decode_credential_public_key(key)
    public = decoded_public_key_to_cryptography(decoded)
    if decoded.alg == Algorithm.ECDSA_SHA_256:
        return isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)
    if decoded.alg == Algorithm.EDDSA:
        return isinstance(public, ed25519.Ed25519PublicKey)
    return isinstance(public, rsa.RSAPublicKey) and public.key_size in _RSA_BITS


def _descriptors(known: Sequence[CredentialName]) -> list[structs.PublicKeyCredentialDescriptor]:
    return [
        structs.PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(each.credential_id),
            transports=[structs.AuthenticatorTransport(transport) for transport in each.transports],
        )
        for each in known
    ]
