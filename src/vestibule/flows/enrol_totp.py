"""Enrol an authenticator app: make its secret, and confirm it by one of its codes. Until then, it is no factor."""

from dataclasses import replace

from vestibule.flows.add_factor import Added, NewCodes, codes_for_first, codes_to_store, note_added
from vestibule.flows.announce import announce
from vestibule.flows.end_sessions import end_sessions_by
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.new_totp import SHOWN_FOR, NewTotp, begun, confirm_begun, mint_totp, shown, step_of_code
from vestibule.flows.reauthenticate import lock_recent, require_recent_sign_in
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.client_info import ClientInfo
from vestibule.model.factors import FactorKind
from vestibule.model.totp import Totp
from vestibule.protocol.authentication import Method


async def begin_totp(env: Env, caller: Caller) -> NewTotp:
    """Make the secret of a new app, in place of one that was not confirmed.

    Raises `TotpUnavailable` if this installation has no secret to seal it under, `ReauthenticationRequired`, and
    `SessionOver`.
    """
    new = mint_totp(env, caller.account, caller.session_id)
    await _store_unconfirmed(env, caller, new)
    return shown(env, caller.account, new)


async def begun_totp(env: Env, caller: Caller) -> NewTotp | None:
    """Return again what `begin_totp` returned, so that a page can be reloaded; None if this session has no unconfirmed
    app, or if that was begun too long ago.

    Raises `TotpUnavailable`, `ReauthenticationRequired`, and `SessionOver`.
    """
    now = env.clock.now()
    async with env.store.reading() as read:
        await require_recent_sign_in(env, read, caller, now)
        new = await begun(read, caller.account.id, caller.session_id, now)
    return None if new is None else shown(env, caller.account, new)


@retry_on_conflict
async def _store_unconfirmed(env: Env, caller: Caller, new: Totp) -> None:
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, new.created_at)
        await tx.totps.add(new, new.created_at - SHOWN_FOR)


async def confirm_totp(env: Env, caller: Caller, code: str, client_info: ClientInfo, *, end_others: bool) -> Added:
    """Confirm the new app by one of its codes. The first factor comes with recovery codes. An earlier app is replaced,
    and the other sessions in which its codes proved a second factor end. `end_others`: end all others too.

    Raises `WrongCode`, `FactorUnknown` if this session has begun no app within `SHOWN_FOR`, `TotpUnavailable`,
    `Overloaded`, `TooManyRequests` after a day's new factors or sets of recovery codes, `ReauthenticationRequired` and
    `SessionOver`.
    """
    await _require_right_code(env, caller, code)  # refuse before recovery codes are hashed, which is slow
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
        new = await begun(read, caller.account.id, caller.session_id, now)
    step_of_code(env, new, code, now)


@retry_on_conflict
async def _confirm(
    env: Env, caller: Caller, code: str, codes: NewCodes | None, client_info: ClientInfo, *, end_others: bool
) -> Added:
    now, account_id = env.clock.now(), caller.account.id
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, now)
        to_store = await codes_to_store(tx, account_id, codes)
        replaced = await tx.totps.confirmed(account_id) is not None
        await confirm_begun(env, tx, account_id, caller.session_id, code, now)
        kind, method = FactorKind.TOTP, Method.ONE_TIME_CODE
        revoked = await end_sessions_by(env, tx, account_id, caller.session_id, method, now) if replaced else []
        added = await note_added(env, tx, caller, kind, to_store, client_info, now, end_others=end_others)
        return replace(added, revoked=[*revoked, *added.revoked])
