"""Open the key ring: unseal the server's own keys. The first process that starts makes them."""

import asyncio
from collections.abc import Sequence

from vestibule.flows.retry import retry_on_conflict
from vestibule.model.clock import Clock
from vestibule.model.signing_keys import KeyManager, KeyState, KeyUse, SealedKey
from vestibule.model.store import Store
from vestibule.state.key_ring import KeyRing


async def open_key_ring(store: Store, clock: Clock, key_manager: KeyManager) -> KeyRing:
    """Return the keys in the store; raises `CannotUnseal` if they were sealed under another secret."""
    looked_at = clock.monotonic()
    keys = await stored_keys(store)
    missing = [use for use in KeyUse if not any(key.use is use and key.state is KeyState.CURRENT for key in keys)]
    if missing:
        await make_keys(store, clock, key_manager, missing, KeyState.CURRENT)
        looked_at = clock.monotonic()
        keys = await stored_keys(store)
    access, refresh = (key_manager.key_set(keys, use) for use in (KeyUse.ACCESS, KeyUse.REFRESH))
    return KeyRing(access, refresh, frozenset(key.status for key in keys), looked_at)


async def stored_keys(store: Store) -> list[SealedKey]:
    """Return every key that is not withdrawn, newest first."""
    async with store.reading() as read:
        return [key for key in await read.signing_keys.all() if key.state is not KeyState.GONE]


async def make_keys(
    store: Store, clock: Clock, key_manager: KeyManager, uses: Sequence[KeyUse], state: KeyState
) -> None:
    """Make and store a key in this state for each use, with one creation time, so that all can begin to sign together.

    If another process was quicker, its keys stay and these are dropped.
    """
    now = clock.now()
    made = await asyncio.gather(*(asyncio.to_thread(key_manager.make, use, state, now) for use in uses))
    await _add(store, made)


@retry_on_conflict
async def _add(store: Store, keys: Sequence[SealedKey]) -> None:
    async with store.transaction() as tx:
        for key in keys:
            await tx.signing_keys.add(key)
