"""Follow the signing keys: keep this process's key ring the same as the keys in the database.

Every process reads the keys once a second. If that has failed for a while, the process reads them before it signs,
before it publishes keys, and before it refuses a token of an unknown key. If that fails too, it raises
`StoreUnavailable`.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from vestibule.crypto import jws
from vestibule.crypto.jwk import PublicKey
from vestibule.crypto.seal import CannotUnseal
from vestibule.flows.env import Env
from vestibule.flows.open_key_ring import make_keys, stored_keys
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.errors import Refusal, StoreUnavailable
from vestibule.model.signing_keys import KeySet, KeyState, KeyStates, KeyUse
from vestibule.model.store import Store

T = TypeVar("T")


async def reread_keys(env: Env, store: Store) -> None:
    """Read the keys from `store` again, if any has changed; raises `StoreUnavailable`."""
    if env.key_manager is None:
        return
    sent_at = env.clock.monotonic()
    async with store.reading() as read:
        key_states = await read.signing_keys.states()
    if key_states != env.keys.key_states:
        await _replace_keys(env, store)
    env.keys.looked_at = max(env.keys.looked_at, sent_at)


async def ensure_next_keys(env: Env) -> None:
    """Make a next key for each use that has none. A next key is published at once."""
    if env.key_manager is None:
        return
    if missing := env.keys.uses_without_next:
        await make_keys(env.store, env.clock, env.key_manager, missing, KeyState.NEXT)


@retry_on_conflict
async def withdraw_spent_keys(env: Env) -> int:
    """Withdraw retired keys whose last token has expired; return their number."""
    async with env.store.transaction() as tx:
        return await tx.signing_keys.withdraw_spent(env.clock.now())


async def require_fresh_keys(env: Env) -> None:
    """Read the keys now if the last read is too long ago; raises `StoreUnavailable`."""
    if env.clock.monotonic() - env.keys.looked_at > env.policy.revocation_staleness.total_seconds():
        await reread_keys(env, env.store)


async def read_with_fresh_keys(env: Env, token: str, keys: Callable[[], KeySet], read: Callable[[KeySet], T]) -> T:
    """Return what `read` makes of a token with `keys`; raises what `read` raises, and `StoreUnavailable`.

    A token of an unknown key is refused without I/O, because every process knows a key long before any signs with it.
    Only a process that could not read the keys for a while reads them now, and then the token again.
    """
    try:
        return read(keys())
    except Refusal:
        if _known(token, keys().checking):
            raise
        await require_fresh_keys(env)
        return read(keys())


async def _replace_keys(env: Env, store: Store) -> None:
    """Replace this process's keys by those in the store; raises `StoreUnavailable` if they cannot be unsealed."""
    keys = await stored_keys(store)
    key_states: KeyStates = frozenset(key.status for key in keys)
    if env.key_manager is None:
        return
    try:
        access, refresh = (env.key_manager.key_set(keys, use) for use in (KeyUse.ACCESS, KeyUse.REFRESH))
    except CannotUnseal:
        raise StoreUnavailable("a key in the database was sealed under another VESTIBULE_SECRET_KEY") from None
    if env.keys.replace(access, refresh, key_states):
        env.memory.drop_tokens()


def _known(token: str, checking: Mapping[str, PublicKey]) -> bool:
    """Return whether the token names one of these keys or no key at all, so that reading the keys again is no use."""
    kid = jws.key_id(token)
    return kid is None or kid in checking
