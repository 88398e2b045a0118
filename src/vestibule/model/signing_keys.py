"""Signing keys: separate pairs for access and refresh tokens, so that no token of one kind passes for the other.

    next       ->  current  ->  retired   ->  gone
    published      signs        verifies      only its id is left

Each use has one current key and one next key. A next key is published before it signs, so that services that cache the
published keys have it already. A retired key verifies tokens until all that it signed have expired. Refresh keys go
through the same states and are never published: only this server reads refresh tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from vestibule.crypto import bound_codes, bound_tokens, jwk
from vestibule.crypto.jwk import PrivateKey, PublicKey, UnusableKey
from vestibule.crypto.seal import CannotUnseal, Seal


class KeyUse(StrEnum):
    """Which kind of token a key signs."""

    ACCESS = "access"
    REFRESH = "refresh"


class KeyState(StrEnum):
    """The state of a key, in this order."""

    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"
    GONE = "gone"


@dataclass(frozen=True)
class SealedKey:
    """A key as it is stored. The private half is encrypted, and empty once the key is gone. A retired key verifies
    tokens until `checks_until`.
    """

    kid: str
    use: KeyUse
    state: KeyState
    alg: str
    sealed_private: str
    created_at: datetime
    state_since: datetime
    checks_until: datetime | None = None

    @property
    def status(self) -> "KeyStatus":
        """Return the id, use and state of the key."""
        return KeyStatus(self.kid, self.use, self.state)


REFRESH_ALGORITHM = "EdDSA"
"""The algorithm of refresh keys made here. Only this server reads refresh tokens, so no service has to know it, and
Ed25519 signs in a twentieth of the time of RSA (docs/decisions/0038-refresh-keys.md).
"""


class KeyStatus(NamedTuple):
    """What a process compares to find out whether the keys have changed since it read them."""

    kid: str
    use: KeyUse
    state: KeyState


KeyStates = frozenset[KeyStatus]


@dataclass(frozen=True)
class KeySet:
    """The keys of one use: the one that signs, and all that verify, by id."""

    signing: PrivateKey
    checking: Mapping[str, PublicKey]

    @classmethod
    def of(cls, signing: PrivateKey) -> "KeySet":
        """Return a set of one key."""
        return cls(signing, {signing.kid: signing.public})

    def published(self) -> dict[str, Any]:
        """Return the JWK Set document (RFC 7517, section 5), public members only."""
        return {"keys": [key.as_jwk() for key in self.checking.values()]}

    @cached_property
    def cookie_seal(self) -> Seal:
        """Return the seal of texts that browsers keep for us in cookies. Its key is derived from the signing key, so
        that every process has it and none is stored.
        """
        return Seal(self.signing.to_pem().decode())

    @cached_property
    def form_key(self) -> bytes:
        """Return the key of the CSRF tokens in forms, derived likewise."""
        return bound_tokens.key_from(self.signing.to_pem())

    @cached_property
    def code_key(self) -> bytes:
        """Return the key of the digests of emailed codes, derived likewise."""
        return bound_codes.key_from(self.signing.to_pem())


_SIGNING_ORDER = {KeyState.CURRENT: 0, KeyState.NEXT: 1}  # the first of these that can be opened signs


@dataclass(frozen=True)
class KeyManager:
    """Makes keys, seals them for storage and opens them. `algorithm` is that of access keys, `bits` their size where
    they are RSA.
    """

    seal: Seal
    algorithm: str
    bits: int

    def make(self, use: KeyUse, state: KeyState, now: datetime) -> SealedKey:
        """Return a new key, sealed. An RSA key takes up to a second of CPU: call it on a thread."""
        key = jwk.generate(self.bits, self.algorithm_for(use))
        return SealedKey(key.kid, use, state, key.public.alg, self._seal_key(key, use), now, now)

    def algorithm_for(self, use: KeyUse) -> str:
        """Return the algorithm of new keys. Older keys keep theirs."""
        return REFRESH_ALGORITHM if use is KeyUse.REFRESH else self.algorithm

    def open(self, key: SealedKey) -> PrivateKey:
        """Return the key, unsealed; raises `CannotUnseal` if no secret opens it, and `UnusableKey` if it is damaged."""
        return jwk.private_key(self.seal.open(key.sealed_private, _name(key.use, key.kid)), checked=True)

    def reencrypted(self, key: SealedKey) -> str | None:
        """Return the private half, sealed under the current secret; None if it cannot be opened."""
        opened = self._opened(key)
        return None if opened is None else self._seal_key(opened, key.use)

    def key_set(self, keys: list[SealedKey], use: KeyUse) -> KeySet:
        """Return the set of one use, from all keys that are not gone; raises `CannotUnseal` if none can sign.

        A damaged key is left out; the key list and the doctor name it. If that is the current key, the next key signs,
        which is published already.
        """
        # The key that signs comes first, for clients that take the first published key.
        of_use = [key for key in keys if key.use is use]
        ordered = sorted(of_use, key=lambda key: _SIGNING_ORDER.get(key.state, len(KeyState)))
        opened = {key.kid: private for key in ordered if (private := self._opened(key)) is not None}
        can_sign = (opened[key.kid] for key in ordered if key.kid in opened and key.state in _SIGNING_ORDER)
        signing = next(can_sign, None)
        if signing is None:
            raise CannotUnseal
        return KeySet(signing=signing, checking={kid: key.public for kid, key in opened.items()})

    def _opened(self, key: SealedKey) -> PrivateKey | None:
        try:
            return self.open(key)
        except (CannotUnseal, UnusableKey):
            return None

    def _seal_key(self, key: PrivateKey, use: KeyUse) -> str:
        return self.seal.close(key.to_pem(), _name(use, key.kid))


def _name(use: KeyUse, kid: str) -> str:
    """Return the name that the key is sealed with: sealed text opens only under the same name."""
    return f"signing-key:{use.value}:{kid}"


class SigningKeys(Protocol):
    """The server's own keys, sealed."""

    async def all(self) -> list[SealedKey]:
        """Return every key, also those that are gone, newest first."""

    async def states(self) -> KeyStates:
        """Return the ids of the keys that are not gone, with use and state. A small read, because every process does it
        every second.
        """

    async def add(self, key: SealedKey) -> bool:
        """Add a next or a current key; return False, and add nothing, if its use has one in that state."""

    async def advance(self, use: KeyUse, created_until: datetime, now: datetime, checks_until: datetime) -> str | None:
        """Let the next key sign from now on, if it was created at `created_until` or earlier, and retire the current
        key, which checks tokens until `checks_until`. Return the new current key's id, or None if nothing was done. Of
        concurrent calls only one rotates.
        """

    async def withdraw(self, kid: str, now: datetime, *, early: bool) -> bool:
        """Withdraw a retired key that is no longer needed to check tokens; if `early`, any retired or next key. Delete
        its private half. Return False if nothing was done.
        """

    async def withdraw_spent(self, now: datetime) -> int:
        """Withdraw every retired key that is no longer needed to check tokens; return their number."""

    async def reencrypt(self, kid: str, old: str, new: str) -> bool:
        """Replace the sealed private half `old`, if it is still stored, by `new`; return whether that was done."""
