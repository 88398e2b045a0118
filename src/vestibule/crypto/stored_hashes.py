"""All forms of stored hashes: whether one may be checked, its name in a report, and what all of them cost."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vestibule.crypto.derivation import Derivation
from vestibule.crypto.derived_hashes import derived_hash
from vestibule.crypto.hash_forms import BCRYPT_OF_SHA256, Cost, argon2_cost, bcrypt_cost

_KINDS = {
    "$2": "bcrypt",
    BCRYPT_OF_SHA256: "bcrypt of SHA-256",
    "$fbscrypt$": "Firebase scrypt",
    "$scrypt$": "scrypt",
    "$pbkdf2-sha1$": "PBKDF2-SHA1",
    "$pbkdf2-sha256$": "PBKDF2-SHA256",
    "$pbkdf2-sha512$": "PBKDF2-SHA512",
}
# A number in a hash that makes checking it costly: a named parameter, or, without a name, the cost of bcrypt.
_COST = re.compile(r"\b(m|t|p|i|ln|n|r)=[0-9]+(?=[,$])|(?<=\$2[aby]\$)[0-9]{2}(?=\$)")
_CHEAP = {"m": "m=64", None: "04"}
"""What `too_costly` puts in the place of such a number, by the parameter's name (None: bcrypt); `=1` for the others."""
_SALT_AND_DIGEST = f"{'A' * 22}${'A' * 22}"  # valid ones, of 16 bytes
_BCRYPT_SALT_AND_DIGEST = "." * 53


@dataclass(frozen=True)
class HashCosts:
    """The costs of stored hashes other than argon2id at our default cost: the highest of bcrypt, or None; all of
    argon2; all of PBKDF2 and scrypt.
    """

    bcrypt: int | None = None
    argon2: frozenset[Cost] = frozenset()
    derived: frozenset[Derivation] = frozenset()


def checkable(hashed: str) -> bool:
    """Return whether a hash has a known form and a bounded cost. Remove a pepper's mark (`pepper.py`) first."""
    return any(read(hashed) is not None for read in (bcrypt_cost, argon2_cost, derived_hash))


def too_costly(hashed: str) -> bool:
    """Return whether a hash has a known form, and only its cost is out of bounds."""
    return not checkable(hashed) and checkable(_COST.sub(lambda found: _CHEAP.get(found[1], f"{found[1]}=1"), hashed))


def kind_of_hash(hashed: str | None) -> str:
    """Return the name of the algorithm of a hash that may be checked, for a report."""
    if hashed is None:
        return "no password"
    return next((name for beginning, name in _KINDS.items() if hashed.startswith(beginning)), "argon2")


def costs_of(beginnings: Iterable[str]) -> HashCosts:
    """Return the costs of hashes, of which only the part before the salt is given; leave out those that may not be
    checked.
    """
    wholes = [_whole(beginning[beginning.find("$") :]) for beginning in beginnings]  # without the mark of a pepper
    bcrypts = [cost for hashed in wholes if (cost := bcrypt_cost(hashed)) is not None]
    argon2s = frozenset(filter(None, map(argon2_cost, wholes)))
    derived = frozenset(found.derivation for found in map(derived_hash, wholes) if found is not None)
    return HashCosts(max(bcrypts, default=None), argon2s, derived)


def _whole(beginning: str) -> str:
    """Return a hash with this beginning and any salt and digest."""
    if beginning.startswith(("$2", BCRYPT_OF_SHA256)):
        return beginning + _BCRYPT_SALT_AND_DIGEST
    if beginning.startswith("$fbscrypt$"):  # its digest is as long as the signer key
        return f"{beginning}AAAA${beginning.rpartition('sk=')[2].rstrip('$')}"
    return beginning + _SALT_AND_DIGEST
