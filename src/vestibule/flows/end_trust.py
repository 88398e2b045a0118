"""End trust: end an account's sessions, the sign-ins that wait for a second step, its mailed links and known devices
together, after its credentials changed.
"""

from datetime import UTC, datetime

from vestibule.flows.cancel_factor_reset import cancel_factor_reset
from vestibule.flows.end_sessions import Ended, end_account
from vestibule.flows.env import Env
from vestibule.model.factor_resets import AskedBy, CanceledBy
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports

_BY_MAILBOX = frozenset({EndReason.PASSWORD_RESET, EndReason.EMAIL_TAKEN_BACK})
EVER = datetime.min.replace(tzinfo=UTC)
"""A value for `undo_since` that voids all links that undo a change of email, however old the change is."""


async def end_trust(
    env: Env,
    tx: Ports,
    account_id: str,
    reason: EndReason,
    now: datetime,
    *,
    undo_since: datetime | None = None,
    delete_devices: bool = True,
) -> Ended:
    """End every session, waiting sign-in, token and mailed link of an account, withdraw letters that are not sent yet,
    and, if `delete_devices`, delete the known devices. Return what ended.

    Call it in the transaction that begins a new epoch: after the step that begins it, and before new letters are queued
    and the browser is added to the known devices.

    A reset of second factors is canceled if somebody with the earlier password asked for it; an operator's goes on.

    If the mailbox alone was proved, no passkey signs in alone before it was used beside the new password: an attacker's
    would begin a session again (decision 0062).

    Links that undo a change of email stay valid, unless the change was at `undo_since` or later. Otherwise an attacker
    who took the account could void the link with which the owner regains it.
    """
    ended = await end_account(env, tx, account_id, reason, now)
    await cancel_factor_reset(tx, account_id, CanceledBy.NEW_CREDENTIALS, None, now, AskedBy.OWNER)
    await tx.pending_sign_ins.delete_of(account_id)
    await void_links(tx, account_id, now, undo_since=undo_since)
    if delete_devices:
        await tx.known_devices.delete_of(account_id)
    if reason in _BY_MAILBOX:
        await tx.passkeys.need_password(account_id)
    return ended


async def void_links(tx: Ports, account_id: str, now: datetime, *, undo_since: datetime | None = None) -> None:
    """Void mailed tokens, then withdraw letters that would carry one: tokens are locked first (decision 0025)."""
    await tx.one_time_tokens.void(account_id, undo_since=undo_since)
    await tx.letters.withdraw(account_id, now, undo_since=undo_since)
