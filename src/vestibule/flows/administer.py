"""Administer: an operator signs an account out, everywhere or on one device, disables it, or enables it again."""

from vestibule.crypto.entropy import is_id
from vestibule.flows.announce import announce
from vestibule.flows.end_sessions import announce_end, end_account, end_session_for
from vestibule.flows.end_trust import EVER, end_trust, void_links
from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_beside_admins, lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.events import EventKind
from vestibule.model.operator_errors import LastAdmin
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.sessions import EndReason

_ENABLED, _DISABLED = "enabled", "disabled"


@retry_on_conflict
async def sign_out_everywhere(env: Env, operator: Operator, account: Account) -> int:
    """End every session of the account; return how many ended. The owner can sign in again at once. Raises
    `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        current = await lock_for(tx, operator, Permission.PEOPLE_SESSIONS, account.id, now)
        ended = await end_account(env, tx, account.id, EndReason.ENDED_BY_OPERATOR, now)
        if current is not None:
            count = str(len(ended.session_ids))
            await tx.events.record(operator.event(now, EventKind.SESSIONS_ENDED, account.id, sessions=count))
    await announce_end(env, ended)
    return len(ended.session_ids)


@retry_on_conflict
async def end_session_of(env: Env, operator: Operator, account: Account, session_id: str) -> bool:
    """End one session of the account; return False if it is over already, or another account's. Raises
    `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_for(tx, operator, Permission.PEOPLE_SESSIONS, account.id, now)
        if not is_id(session_id):
            return False
        revoked = await end_session_for(env, tx, operator, session_id, account.id, now)
    await announce(env, revoked)
    return bool(revoked)


@retry_on_conflict
async def disable_account(env: Env, operator: Operator, account: Account, reason: str | None = None) -> int | None:
    """Disable the account, end its sessions and void its mailed links. Return how many sessions ended, or None if the
    account was disabled already. The links stay void when the account is enabled again. Raises `LastAdmin`; and
    `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        current = await lock_beside_admins(tx, operator, Permission.PEOPLE_CHANGE, account.id, now)
        disabled = await tx.accounts.disable(account.id, reason, now)
        if not disabled and current is not None and current.disabled_at is None:
            raise LastAdmin
        await tx.factor_resets.cancel(account.id)  # a disabled account is sent no letter, so its owner could not object
        ended = await end_trust(env, tx, account.id, EndReason.ACCOUNT_DISABLED, now, undo_since=EVER)
        if disabled:
            kind = EventKind.ACCOUNT_DISABLED
            await tx.events.record(operator.event(now, kind, account.id, _ENABLED, _DISABLED, reason=reason))
    await announce_end(env, ended)
    return len(ended.session_ids) if disabled else None


@retry_on_conflict
async def enable_account(env: Env, operator: Operator, account: Account) -> bool:
    """Let the account sign in again; return False if it was enabled already. Raises `PermissionMissing` and
    `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_for(tx, operator, Permission.PEOPLE_CHANGE, account.id, now)
        enabled = await tx.accounts.enable(account.id, now)
        if enabled:
            await void_links(tx, account.id, now, undo_since=EVER)
            await tx.events.record(operator.event(now, EventKind.ACCOUNT_ENABLED, account.id, _DISABLED, _ENABLED))
    return enabled
