"""Open the key ring: the server's own keys, unsealed; made on the first start, by whichever process comes first."""

import asyncio

from vestibule.flows.retry import retry_on_conflict
from vestibule.model.clock import Clock
from vestibule.model.signing_keys import KeyRing, KeyState, KeyUse, Locksmith, SealedKey
from vestibule.model.store import Store


async def open_key_ring(store: Store, clock: Clock, locksmith: Locksmith) -> KeyRing:
    """The keys in the store; raises `CannotUnseal` if they were sealed under another secret."""
    looked_at = clock.monotonic()
    keys = await stored_keys(store)
    missing = [use for use in KeyUse if not any(key.use is use and key.state is KeyState.CURRENT for key in keys)]
    for use in missing:
        await make_key(store, clock, locksmith, use, KeyState.CURRENT)
    if missing:
        looked_at = clock.monotonic()
        keys = await stored_keys(store)
    access, refresh = (locksmith.key_set(keys, use) for use in (KeyUse.ACCESS, KeyUse.REFRESH))
    return KeyRing(access, refresh, frozenset((key.kid, key.use, key.state) for key in keys), looked_at)


async def stored_keys(store: Store) -> list[SealedKey]:
    """Every key that is not gone, newest first."""
    async with store.reading() as read:
        return [key for key in await read.signing_keys.all() if key.state is not KeyState.GONE]


async def make_key(store: Store, clock: Clock, locksmith: Locksmith, use: KeyUse, state: KeyState) -> None:
    """Make a key in this state. Another process may be quicker; then its key is the one, and this one is forgotten."""
    key = await asyncio.to_thread(locksmith.make, use, state, clock.now())
    await _keep(store, key)


@retry_on_conflict
async def _keep(store: Store, key: SealedKey) -> None:
    async with store.transaction() as tx:
        await tx.signing_keys.add(key)
