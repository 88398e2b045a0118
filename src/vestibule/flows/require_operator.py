"""Require an operator: check inside the transaction that the operator may act on another's account.

The role or the session that the route's guard has checked may be gone a moment later. So each flow checks again, with
both accounts locked, inside the transaction that makes the change.
"""

from datetime import datetime

from vestibule.flows.reauthenticate import require_live_session
from vestibule.model.accounts import Account, Role
from vestibule.model.errors import SessionOver
from vestibule.model.operator_errors import NotWhileActing, PermissionMissing, PersonMayDoMore
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.model.permissions import OF_ROLE, Permission, permits_all_of
from vestibule.model.store import Ports

_MOST_ADMINS = 20  # locked together. With more of them, two operators at once are far from removing the last one


async def lock_for(
    tx: Ports, operator: Operator, permission: Permission, account_id: str, now: datetime
) -> Account | None:
    """Lock the operator's account and the account `account_id`; return the latter, or None if it is gone. Raises what
    `require_operator` raises, and `PersonMayDoMore`. Call it first in the transaction.
    """
    ids = [account_id] if operator.account_id is None else [account_id, operator.account_id]
    locked = await tx.accounts.lock_these(ids)
    return _require_not_above(await require_operator(tx, operator, permission, now), locked.get(account_id))


async def lock_beside_admins(
    tx: Ports, operator: Operator, permission: Permission, account_id: str, now: datetime
) -> Account | None:
    """Lock, return and raise as `lock_for` does, and lock the enabled admins too. For changes after which an account
    may be no admin any more: locking all admins in one order keeps two operators from removing the last two, and from a
    deadlock.
    """
    admins = await tx.accounts.enabled_admins(_MOST_ADMINS)
    ids = {account_id, *admins} | ({operator.account_id} if operator.account_id else set())
    locked = await tx.accounts.lock_these(sorted(ids))
    return _require_not_above(await require_operator(tx, operator, permission, now), locked.get(account_id))


async def lock_operator(tx: Ports, operator: Operator, permission: Permission, now: datetime) -> None:
    """Lock the operator's account alone, for a change that is about no existing account. Raises what `require_operator`
    raises.
    """
    if operator.account_id is not None:
        await tx.accounts.lock(operator.account_id)
    await require_operator(tx, operator, permission, now)


async def require_operator(tx: Ports, operator: Operator, permission: Permission, now: datetime) -> Role:
    """Return the role of the operator's account; the command line may do all that an admin may. Raises `SessionOver` if
    the operator's session has ended, `NotWhileActing` if the operator acts as somebody else in it, and
    `PermissionMissing` if the role does not have the permission.
    """
    if operator == COMMAND_LINE:
        return Role.ADMIN
    session = await require_live_session(tx, operator.account_id or "", operator.session_id or "", now)
    if session.actor_id is not None:
        raise NotWhileActing
    account = await tx.accounts.get(operator.account_id or "")
    if account is None:
        raise SessionOver
    if permission not in OF_ROLE[account.role]:
        raise PermissionMissing(permission)
    return account.role


def _require_not_above(role: Role, account: Account | None) -> Account | None:
    """Return the account. Raises `PersonMayDoMore` if its role permits anything that `role` does not: otherwise a
    helper could keep every admin out by signing them out again and again.
    """
    if account is not None and not permits_all_of(role, account.role):
        raise PersonMayDoMore
    return account
