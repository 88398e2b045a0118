"""Rotate the signing keys, and withdraw those that are no longer needed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from vestibule.crypto.seal import CannotUnseal
from vestibule.flows.env import Env
from vestibule.flows.open_key_ring import make_keys, stored_keys
from vestibule.flows.require_operator import lock_operator
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.events import Event, EventKind
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.model.permissions import Permission
from vestibule.model.signing_keys import KeyManager, KeyState, KeyUse, SealedKey
from vestibule.process.operator_errors import OperatorError


class KeysUnchanged(OperatorError):
    """No key was changed. The message says why, and what to do. `ready_at` is when the next keys may sign, if that is
    all that is missing.
    """

    def __init__(self, message: str, ready_at: datetime | None = None) -> None:
        super().__init__(message)
        self.ready_at = ready_at


class _NotYet(Exception):
    """Services may not have the next key of one use yet. Raised to roll the transaction back."""


async def rotate_key(env: Env, use: KeyUse, *, early: bool = False) -> str:
    """Rotate the key of one use; return the new current key's id. Raises as `rotate_keys` does."""
    return (await rotate_keys(env, [use], early=early))[use]


async def rotate_keys(
    env: Env, uses: Sequence[KeyUse], operator: Operator = COMMAND_LINE, *, early: bool = False
) -> dict[KeyUse, str]:
    """Let the next key of each use sign, and publish new next keys; return the new current keys' ids. Rotate all uses
    or none. Raises `KeysUnchanged` if the keys are given by settings, and, unless `early`, if services may not have
    fetched one of the next keys yet; and what `require_operator` raises.
    """
    key_manager = require_key_manager(env)
    try:
        kids = await _advance(env, uses, operator, early=early)
    except _NotYet:
        await _publish_next(env, key_manager, uses)
        raise await _too_early(env, uses) from None
    await _publish_next(env, key_manager, uses)
    return kids


async def _publish_next(env: Env, key_manager: KeyManager, uses: Sequence[KeyUse]) -> None:
    present = {key.use for key in await stored_keys(env.store) if key.state is KeyState.NEXT}
    if missing := [use for use in uses if use not in present]:
        await make_keys(env.store, env.clock, key_manager, missing, KeyState.NEXT)


@retry_on_conflict
async def _advance(env: Env, uses: Sequence[KeyUse], operator: Operator, *, early: bool) -> dict[KeyUse, str]:
    """Let the next key of each use sign; return the new current keys' ids. Raises `_NotYet`, and does nothing, if one
    of them was published too recently.
    """
    now = env.clock.now()
    created_until = now if early else now - env.policy.key_lead
    kids = {}
    async with env.store.transaction() as tx:
        await lock_operator(tx, operator, Permission.KEYS_ROTATE, now)
        for use in uses:
            kid = await tx.signing_keys.advance(use, created_until, now, now + env.policy.retired_key_lifetime(use))
            if kid is None:
                raise _NotYet
            rotated = operator.event(now, EventKind.SIGNING_KEY_ROTATED, None, use=use.value, kid=kid)
            await tx.events.record(rotated)
            kids[use] = kid
    return kids


@retry_on_conflict
async def withdraw_key(env: Env, kid: str, *, early: bool = False) -> None:
    """Withdraw a key: tokens that it signed are refused from now on. `early`: also a next key, or a retired one that is
    still needed. Raises `KeysUnchanged` if the key is still needed, is the current one, is gone or unknown, or if the
    keys are given by settings.
    """
    require_key_manager(env)
    now = env.clock.now()
    async with env.store.transaction() as tx:
        gone = await tx.signing_keys.withdraw(kid, now, early=early)
        if gone:
            await tx.events.record(Event(now, EventKind.SIGNING_KEY_WITHDRAWN, detail={"kid": kid}))
    if not gone:
        raise KeysUnchanged(await _why_not_withdrawn(env, kid))


async def reencrypt_keys(env: Env) -> int:
    """Re-encrypt every key under the current secret, except damaged ones; return how many. Raises `CannotUnseal` if
    no key can be unsealed, and `KeysUnchanged` if the keys are given by settings.
    """
    key_manager = require_key_manager(env)
    keys = await stored_keys(env.store)
    sealed = {key: text for key in keys if (text := key_manager.reencrypted(key)) is not None}
    if keys and not sealed:
        raise CannotUnseal
    await _reencrypt(env, sealed)
    return len(sealed)


@retry_on_conflict
async def _reencrypt(env: Env, reencrypted: Mapping[SealedKey, str]) -> None:
    async with env.store.transaction() as tx:
        for key, sealed in reencrypted.items():
            await tx.signing_keys.reencrypt(key.kid, key.sealed_private, sealed)


def require_key_manager(env: Env) -> KeyManager:
    """Return the key manager; raises `KeysUnchanged` if the keys are given by settings."""
    if env.key_manager is None:
        raise KeysUnchanged("the signing keys are given by the four JWT_… settings; rotate them where those are kept")
    return env.key_manager


async def _too_early(env: Env, uses: Sequence[KeyUse]) -> KeysUnchanged:
    """Return the refusal that says when the next keys may sign."""
    nexts = [key for key in await stored_keys(env.store) if key.use in uses and key.state is KeyState.NEXT]
    ready_at = max((key.created_at for key in nexts), default=env.clock.now()) + env.policy.key_lead
    which = f"the next {uses[0].value} key signs" if len(uses) == 1 else "the next keys sign"
    return KeysUnchanged(
        f"{which} at {_time(ready_at)} at the earliest, when every service that caches the published keys has them; "
        "nothing was rotated: wait until then, or, after a leak, use --now",
        ready_at,
    )


async def _why_not_withdrawn(env: Env, kid: str) -> str:
    async with env.store.reading() as read:
        key = next((key for key in await read.signing_keys.all() if key.kid == kid), None)
    if key is None:
        return f"there is no key {kid}; `vestibule keys list` lists them all"
    if key.state is KeyState.GONE:
        return f"the key {kid} is gone already: it was withdrawn at {_time(key.state_since)}"
    if key.state is KeyState.CURRENT:
        return f"this is the current key; first let the next one sign: vestibule keys rotate --use {key.use.value}"
    if key.state is KeyState.NEXT or key.checks_until is None:
        return "this key will sign next; to replace it, after a leak, use --now"
    return (
        f"tokens that it signed are valid until {_time(key.checks_until)}, when the server withdraws it; to refuse "
        "them at once, after a leak, use --now"
    )


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
