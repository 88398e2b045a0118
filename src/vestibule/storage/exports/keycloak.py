"""Keycloak's export of a realm (`kc.sh export`): a JSON object whose member `users` lists them."""

import base64

from vestibule.crypto.derived_hashes import pbkdf2_form
from vestibule.model.accounts import Role
from vestibule.model.imports import ForeignRow
from vestibule.storage.exports.faults import UnusableRow
from vestibule.storage.exports.fields import (
    Fields,
    Given,
    either,
    flag_of,
    full_name,
    json_object,
    moment_of_milliseconds,
    object_of,
    part_before_at,
    text_of,
)
from vestibule.storage.exports.hashes import from_base64

_PBKDF2 = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}
_ARGON2_VERSIONS = {"1.3": 19, "1.0": 16}


def row(fields: Fields, _given: Given) -> ForeignRow:
    """Return the row in a user of a realm; raises `UnusableRow`."""
    if fields.get("serviceAccountClientId"):
        raise UnusableRow("it is a client's service account, and no person")
    email, made = text_of(fields.get("email")), moment_of_milliseconds(fields.get("createdTimestamp"))
    name = full_name(fields.get("firstName"), fields.get("lastName"))
    password = _password(fields)
    roles = fields.get("realmRoles")
    return ForeignRow(
        id=text_of(fields.get("id")),
        name=either(name, text_of(fields.get("username"))) or part_before_at(email),
        email=email,
        photo=None,
        verified=flag_of(fields.get("emailVerified")),
        password=password,
        role=Role.ADMIN if isinstance(roles, list) and Role.ADMIN in roles else Role.USER,
        created_at=made,
        updated_at=made,
        provider=None if password else _provider(fields),
        disabled=str(flag_of(fields.get("enabled")) == "false").lower(),
    )


def _provider(fields: Fields) -> str:
    """Return the provider with which a user without a password signs in."""
    identities = fields.get("federatedIdentities")
    first = object_of(identities[0]) if isinstance(identities, list) and identities else {}
    return text_of(first.get("identityProvider")) or "keycloak"


def _password(fields: Fields) -> str | None:
    credentials = fields.get("credentials")
    for credential in map(object_of, credentials if isinstance(credentials, list) else []):
        if credential.get("type") == "password":
            return _hash(json_object(credential.get("credentialData")), json_object(credential.get("secretData")))
    return None


def _hash(data: Fields, secret: Fields) -> str:
    """Return a password's hash in our form; raises `UnusableRow` if it has none of Keycloak's forms."""
    algorithm = text_of(data.get("algorithm")) or ""
    try:
        iterations = int(text_of(data.get("hashIterations")) or "")
        salt, digest = (from_base64(text_of(secret.get(name)) or "") for name in ("salt", "value"))
        if algorithm in _PBKDF2:
            return pbkdf2_form(_PBKDF2[algorithm], iterations, salt, digest)
        if algorithm == "argon2":
            return _argon2(object_of(data.get("additionalParameters")), iterations, salt, digest)
    except ValueError:
        raise UnusableRow("its password hash is malformed") from None
    raise UnusableRow("its hash has no form that Vestibule can check")


def _argon2(parameters: Fields, iterations: int, salt: bytes, digest: bytes) -> str:
    kind, version = _first(parameters, "type"), _ARGON2_VERSIONS.get(_first(parameters, "version"), 0)
    cost = f"m={int(_first(parameters, 'memory'))},t={iterations},p={int(_first(parameters, 'parallelism'))}"
    texts = (base64.b64encode(content).decode().rstrip("=") for content in (salt, digest))
    return f"$argon2{kind}$v={version}${cost}${'$'.join(texts)}"


def _first(parameters: Fields, name: str) -> str:
    """Return a parameter, each of which Keycloak writes as a list of one."""
    listed = parameters.get(name)
    return text_of(listed[0]) or "" if isinstance(listed, list) and listed else ""
