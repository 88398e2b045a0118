"""Firebase's `auth:export` as JSON, and its hashes, which are scrypt with a key (github.com/firebase/scrypt)."""

import re
from collections.abc import Callable
from pathlib import Path

from vestibule.model.accounts import Role
from vestibule.model.imports import ForeignRow
from vestibule.storage.exports.faults import UnusableFile, UnusableRow
from vestibule.storage.exports.fields import (
    Fields,
    Given,
    flag_of,
    json_object,
    moment_of_milliseconds,
    object_of,
    part_before_at,
    text_of,
)
from vestibule.storage.exports.hashes import padded_base64

_MAX_CONFIG_CHARACTERS = 10_000
_NEEDED = ("base64_signer_key", "base64_salt_separator", "rounds", "mem_cost")


def row(fields: Fields, given: Given) -> ForeignRow:
    """Return the row in an exported user; raises `UnusableRow`."""
    email, password = text_of(fields.get("email")), text_of(fields.get("passwordHash"))
    claims = json_object(fields.get("customAttributes"))
    admin = claims.get("role") == Role.ADMIN or claims.get(Role.ADMIN.value) is True
    made = moment_of_milliseconds(fields.get("createdAt"))
    return ForeignRow(
        id=text_of(fields.get("localId")),
        name=text_of(fields.get("displayName")) or part_before_at(email),
        email=email,
        photo=text_of(fields.get("photoUrl")),
        verified=flag_of(fields.get("emailVerified")),
        password=_hash(password, text_of(fields.get("salt")) or "", given) if password else None,
        role=Role.ADMIN if admin else Role.USER,
        created_at=made,
        updated_at=made,
        provider=None if password else _provider(fields),
        disabled=flag_of(fields.get("disabled")),
    )


def read_hash_form(path: Path) -> Callable[[str, str], str]:
    """Return the function that turns a digest and a salt into a hash in our form. The file has the project's parameters
    as Firebase's console shows them, under "Password hash parameters". Raises `UnusableFile`.
    """
    try:
        content = path.read_bytes()[:_MAX_CONFIG_CHARACTERS].decode()
    except OSError as fault:
        raise UnusableFile(f"--hash-config: {path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise UnusableFile(f"--hash-config: {path} is not UTF-8") from None
    found = dict(re.findall(r'"?(\w+)"?\s*:\s*"?([\w+/=-]*)', content))
    if missing := [name for name in _NEEDED if name not in found]:
        raise UnusableFile(f"--hash-config: {path} lacks {', '.join(missing)}; copy all of Password hash parameters")
    try:
        costs = f"n={int(found['mem_cost'])},r={int(found['rounds'])},p=1"
        separator, key = padded_base64(found["base64_salt_separator"]), padded_base64(found["base64_signer_key"])
    except ValueError:
        raise UnusableFile(f"--hash-config: {path} has a number that is none, or a key that is no base64") from None
    return lambda digest, salt: f"$fbscrypt$v=1,{costs},ss={separator},sk={key}${salt}${digest}"


def _hash(digest: str, salt: str, given: Given) -> str:
    if given.hash_form is None:
        raise UnusableFile("these users have hashes: give --hash-config FILE with the parameters of the project")
    try:
        return given.hash_form(padded_base64(digest), padded_base64(salt))
    except ValueError:
        raise UnusableRow("its password hash is malformed") from None


def _provider(fields: Fields) -> str:
    """Return the provider with which a user without a password signs in."""
    infos = fields.get("providerUserInfo")
    first = object_of(infos[0]) if isinstance(infos, list) and infos else {}
    return text_of(first.get("providerId")) or "firebase"
