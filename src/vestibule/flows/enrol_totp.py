"""Enrol an authenticator app: make its secret, and let it count once one of its codes was typed in.

The caller has just been shown the secret, so there is nothing to guess here: codes are not counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vestibule.crypto import totp
from vestibule.crypto.entropy import new_id
from vestibule.flows.add_factor import Added, NewCodes, codes_for_first, codes_to_store, note_added
from vestibule.flows.announce import announce
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.open_totp import open_totp, require_seal
from vestibule.flows.reauthenticate import lock_recent, require_recent_sign_in
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.client_info import ClientInfo
from vestibule.model.factor_errors import FactorUnknown, WrongCode
from vestibule.model.factors import FactorKind
from vestibule.model.store import Ports
from vestibule.model.totp import Totp, seal_secret

SHOWN_FOR = timedelta(minutes=15)
"""How long an app that was begun can be confirmed, and its secret is shown again."""


@dataclass(frozen=True)
class NewTotp:
    """What an authenticator app needs: the key, to type in, and the `otpauth://` URI, to show as a QR code."""

    key: str
    uri: str


async def begin_totp(env: Env, caller: Caller) -> NewTotp:
    """Make the secret of a new app, in place of one that was not confirmed. It does not count yet.

    Raises `TotpUnavailable` if there is no secret to seal it under, `ReauthenticationRequired`, and `SessionOver`.
    """
    seal, secret, totp_id = require_seal(env), totp.mint_secret(), new_id()
    sealed = seal_secret(seal, totp_id, secret)
    await _add(env, caller, Totp(totp_id, caller.account.id, sealed, env.clock.now(), session_id=caller.session_id))
    return _shown(env, caller, secret)


async def begun_totp(env: Env, caller: Caller) -> NewTotp | None:
    """Return again what `begin_totp` returned, so that a page can be reloaded; None if this session has no app that
    waits to be confirmed, or if it was begun longer ago than `SHOWN_FOR`.

    Raises `TotpUnavailable`, `ReauthenticationRequired`, and `SessionOver`.
    """
    now = env.clock.now()
    async with env.store.reading() as read:
        await require_recent_sign_in(env, read, caller, now)
        begun = await _begun(read, caller, now)
    return None if begun is None else _shown(env, caller, open_totp(env, begun))


async def _begun(read: Ports, caller: Caller, now: datetime) -> Totp | None:
    """Return the app that the caller's session has begun, if it can still be confirmed."""
    begun = await read.totps.unconfirmed(caller.account.id, caller.session_id)
    return None if begun is None or now - begun.created_at > SHOWN_FOR else begun


def _shown(env: Env, caller: Caller, secret: bytes) -> NewTotp:
    return NewTotp(totp.key_of(secret), totp.uri_of(secret, env.policy.product, caller.account.email))


@retry_on_conflict
async def _add(env: Env, caller: Caller, new: Totp) -> None:
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, new.created_at)
        await tx.totps.add(new)


async def confirm_totp(env: Env, caller: Caller, code: str, client_info: ClientInfo, *, end_others: bool) -> Added:
    """Let the new app count, in place of the earlier one, because this is one of its codes. The first factor comes with
    recovery codes. `end_others`: end the caller's other sessions too.

    Raises `WrongCode`, `FactorUnknown` if this session has begun no app in the last minutes, `TotpUnavailable`,
    `Overloaded`, `ReauthenticationRequired` and `SessionOver`.
    """
    await _require_right_code(env, caller, code)  # before anything is hashed for it
    codes = await codes_for_first(env, caller.account.id)
    added = await _confirm(env, caller, code, codes, client_info, end_others=end_others)
    env.letters_waiting.set()
    await announce(env, added.revoked)
    return added


async def _require_right_code(env: Env, caller: Caller, code: str) -> None:
    """Raise what `_confirm` would raise now."""
    now = env.clock.now()
    async with env.store.reading() as read:
        await require_recent_sign_in(env, read, caller, now)
        new = await _begun(read, caller, now)
    if new is None:
        raise FactorUnknown
    if totp.step_of(code, open_totp(env, new), now.timestamp()) is None:
        raise WrongCode


@retry_on_conflict
async def _confirm(
    env: Env, caller: Caller, code: str, codes: NewCodes | None, client_info: ClientInfo, *, end_others: bool
) -> Added:
    now, account_id = env.clock.now(), caller.account.id
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, now)
        to_store = await codes_to_store(tx, account_id, codes)
        await _confirm_new_one(env, tx, caller, code, now)
        return await note_added(env, tx, caller, FactorKind.TOTP, to_store, client_info, now, end_others=end_others)


async def _confirm_new_one(env: Env, tx: Ports, caller: Caller, code: str, now: datetime) -> None:
    """Let the new app count; raises `FactorUnknown`, `WrongCode` or `TotpUnavailable`, which undo the transaction."""
    new = await _begun(tx, caller, now)
    if new is None:
        raise FactorUnknown
    step = totp.step_of(code, open_totp(env, new), now.timestamp())
    if step is None or not await tx.totps.confirm(new, step, now):
        raise WrongCode
