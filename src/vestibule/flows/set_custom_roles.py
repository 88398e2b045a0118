"""Set the custom roles of an account: an operator gives it roles beside its built-in one, or takes them.

Tokens carry these roles too. So every session ends, as when the built-in role changes.
"""

from collections.abc import Callable, Collection

from vestibule.flows.end_sessions import announce_end
from vestibule.flows.end_trust import end_trust
from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.custom_roles import MAX_ROLES_OF_ACCOUNT, roles_in_order
from vestibule.model.events import EventKind
from vestibule.model.operator_errors import RoleNeedsVerifiedEmail, RoleUnknown, TooManyRolesOfAccount
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports

Roles = tuple[str, ...]


async def set_custom_roles(env: Env, operator: Operator, account: Account, names: Collection[str]) -> int | None:
    """Give the account these custom roles and no others, and end its sessions. Return how many sessions ended, or None
    if it has these roles already, or is gone.

    Raises `RoleUnknown`, `TooManyRolesOfAccount`, `RoleNeedsVerifiedEmail`; and `PermissionMissing` and `SessionOver`,
    about the operator.
    """
    wanted = roles_in_order(names)
    if len(wanted) > MAX_ROLES_OF_ACCOUNT:
        raise TooManyRolesOfAccount
    return await _change(env, operator, account.id, lambda _: wanted)


async def take_custom_role(env: Env, operator: Operator, account_id: str, name: str) -> int | None:
    """Take one custom role from an account. Returns and raises as `set_custom_roles` does."""
    return await _change(env, operator, account_id, lambda roles: tuple(role for role in roles if role != name))


@retry_on_conflict
async def _change(env: Env, operator: Operator, account_id: str, wanted: Callable[[Roles], Roles]) -> int | None:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        account = await lock_for(tx, operator, Permission.PEOPLE_ROLES, account_id, now)
        if account is None or account.roles == (roles := wanted(account.roles)):
            return None
        # Otherwise anybody who verifies the email later would have the new roles.
        if set(roles) - set(account.roles) and not account.verified:
            raise RoleNeedsVerifiedEmail
        await _require_roles(tx, roles)
        await tx.accounts.set_roles(account_id, roles, now)
        ended = await end_trust(env, tx, account_id, EndReason.ROLE_CHANGED, now, delete_devices=False)
        before, after = " ".join(account.roles), " ".join(roles)
        await tx.events.record(operator.event(now, EventKind.ROLES_CHANGED, account_id, before, after))
    env.letters_waiting.set()
    await announce_end(env, ended)
    return len(ended.session_ids)


async def _require_roles(tx: Ports, names: Roles) -> None:
    """Keep the roles from being deleted until the transaction ends; raises `RoleUnknown` for one that is not there."""
    found = await tx.custom_roles.keep(names)
    for name in names:
        if name not in found:
            raise RoleUnknown(name)
