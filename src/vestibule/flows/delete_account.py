"""Delete an account with all personal data, and end its sessions at once."""

from datetime import datetime

from vestibule.flows.clear_history import clear_history, clear_some_history
from vestibule.flows.end_sessions import announce_end
from vestibule.flows.end_trust import EVER, end_trust
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.login_attempt import check_current_password
from vestibule.flows.reauthenticate import lock_proven
from vestibule.flows.require_operator import lock_beside_admins
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.events import Event, EventKind
from vestibule.model.operator_errors import LastAdmin
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports


async def delete_account(env: Env, operator: Operator, account: Account) -> int:
    """Delete the account and all that belongs to it; return how many sessions ended. Calling it twice is no error.
    Raises `LastAdmin`; and `PermissionMissing` and `SessionOver`, about the operator.

    The account's events stay, without personal data. One new event says that the account with this id was deleted: an
    operator who restores a backup has to delete it again. Old rows are deleted first, a batch in each transaction.
    """
    return await _delete_all(env, account, operator)


async def delete_my_account(env: Env, caller: Caller, password: str, client_info: ClientInfo) -> None:
    """Delete the caller's account, if the password is right. Raises `WrongPassword`, `TooManyAttempts`, `Overloaded`,
    `LastAdmin`, `ReauthenticationRequired` if the account has a second factor that was not used lately, and
    `SessionOver` if the session ended meanwhile.
    """
    account, _ = await check_current_password(env, caller, password, client_info)
    await _delete_all(env, account, caller)


async def delete_if_unused(env: Env, account: Account, since: datetime) -> bool:
    """Delete an account that nobody ever used, and that is untouched since `since`; return whether it was deleted."""
    return await _delete(env, account, None, unused_since=since) is not None


async def _delete_all(env: Env, account: Account, by: Caller | Operator) -> int:
    while await _clear_some_history(env, account, by):
        pass
    return await _delete(env, account, by) or 0


@retry_on_conflict
async def _clear_some_history(env: Env, account: Account, by: Caller | Operator) -> bool:
    async with env.store.transaction() as tx:
        await _lock(env, tx, account, by)
        return await clear_some_history(tx, account.id, env.clock.now())


async def _lock(env: Env, tx: Ports, account: Account, by: Caller | Operator | None) -> None:
    """Lock the account, and check that its owner or the operator may still delete it; `by` is None if it is deleted
    because it is unused. Raises `LastAdmin`, and what `lock_proven` or `lock_beside_admins` raises.
    """
    if by is None:
        await tx.accounts.lock(account.id)
    elif isinstance(by, Operator):
        await lock_beside_admins(tx, by, Permission.PEOPLE_DELETE, account.id, env.clock.now())
    else:
        await lock_proven(env, tx, account, by, env.clock.now())
    if await tx.accounts.enabled_admins(2) == [account.id]:  # refuse before any history is deleted; `remove` decides
        raise LastAdmin


def _event(account: Account, by: Caller | Operator | None, now: datetime) -> Event:
    if isinstance(by, Operator):
        return by.event(now, EventKind.ACCOUNT_DELETED, None, account=account.id)
    return Event(now, EventKind.ACCOUNT_DELETED, detail={"account": account.id})


@retry_on_conflict
async def _delete(
    env: Env, account: Account, by: Caller | Operator | None, *, unused_since: datetime | None = None
) -> int | None:
    """Delete the account; with `unused_since`, only if nobody used it since. Return how many sessions ended, or None if
    it was not deleted.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        # The lock keeps sign-ins out until the account and all that refers to it are deleted.
        await _lock(env, tx, account, by)
        if unused_since is not None and not await tx.accounts.never_used(unused_since, most=1, account_id=account.id):
            return None
        ended = await end_trust(env, tx, account.id, EndReason.ACCOUNT_DELETED, now, undo_since=EVER)
        await tx.letters.delete_of(account.id)
        await clear_history(tx, account.id, now)  # what came since the last batch, and the sessions just ended
        await tx.login_attempts.reset_all(account.id, account.email)
        await tx.login_attempts.reset_second_factor(account.id)
        removed = await tx.accounts.remove(account.id)
        if not removed and await tx.accounts.get(account.id) is not None:
            raise LastAdmin
        if removed:
            await tx.events.record(_event(account, by, now))
    await announce_end(env, ended)
    return len(ended.session_ids)
