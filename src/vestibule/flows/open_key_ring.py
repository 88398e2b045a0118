"""Open the key ring: the server's own keys, unsealed; made on the first start, by whichever process comes first."""

import asyncio

from vestibule.crypto import jwk
from vestibule.crypto.jwk import PrivateKey
from vestibule.crypto.seal import Seal
from vestibule.model.clock import Clock
from vestibule.model.signing_keys import KeyRing, KeySet, KeyState, KeyUse, SealedKey
from vestibule.model.store import Store


async def open_key_ring(store: Store, clock: Clock, seal: Seal, bits: int) -> KeyRing:
    """The keys in the store; raises `CannotUnseal` if they were sealed under another secret."""
    sealed = await _stored(store)
    missing = [use for use in KeyUse if not any(key.use is use and key.state is KeyState.CURRENT for key in sealed)]
    for use in missing:
        await _make(store, clock, seal, use, bits)
    if missing:
        sealed = await _stored(store)
    return KeyRing(access=_key_set(sealed, KeyUse.ACCESS, seal), refresh=_key_set(sealed, KeyUse.REFRESH, seal))


async def _stored(store: Store) -> list[SealedKey]:
    async with store.reading() as read:
        return await read.signing_keys.all()


async def _make(store: Store, clock: Clock, seal: Seal, use: KeyUse, bits: int) -> None:
    key = await asyncio.to_thread(jwk.generate, bits)
    sealed = SealedKey(
        kid=key.kid,
        use=use,
        state=KeyState.CURRENT,
        alg=key.public.alg,
        sealed_private=seal.close(key.to_pem(), _name(use, key.kid)),
        created_at=clock.now(),
    )
    async with store.transaction() as tx:
        # Another process may have been quicker; then its key is the one, and this one is forgotten.
        await tx.signing_keys.add_current(sealed)


def _key_set(sealed: list[SealedKey], use: KeyUse, seal: Seal) -> KeySet:
    ours = [key for key in sealed if key.use is use]
    opened = {key.kid: _open(key, use, seal) for key in ours}
    current = next(key.kid for key in ours if key.state is KeyState.CURRENT)
    return KeySet(signing=opened[current], checking={kid: key.public for kid, key in opened.items()})


def _open(key: SealedKey, use: KeyUse, seal: Seal) -> PrivateKey:
    return jwk.private_key(seal.open(key.sealed_private, _name(use, key.kid)), checked=True)


def _name(use: KeyUse, kid: str) -> str:
    return f"signing-key:{use.value}:{kid}"
