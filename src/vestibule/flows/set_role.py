"""Set a role: an operator gives an account another role, and so more or fewer permissions.

Tokens carry the role. So every session ends, even if the new role allows more: no token keeps the old role.
"""

from vestibule.flows.end_sessions import announce_end
from vestibule.flows.end_trust import end_trust
from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_beside_admins
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account, Role
from vestibule.model.events import EventKind
from vestibule.model.operator_errors import LastAdmin, RoleNeedsVerifiedEmail
from vestibule.model.operators import Operator
from vestibule.model.permissions import OF_ROLE, Permission
from vestibule.model.sessions import EndReason


@retry_on_conflict
async def set_role(env: Env, operator: Operator, account: Account, role: Role) -> int | None:
    """Give the account the role, end its sessions and void its mailed links. Return how many sessions ended, or None if
    it has the role already, or is gone.

    Raises `LastAdmin`, `RoleNeedsVerifiedEmail`; and `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        current = await lock_beside_admins(tx, operator, Permission.PEOPLE_ROLES, account.id, now)
        if current is None or current.role is role:
            return None
        if OF_ROLE[role] and not current.verified:  # the email's owner may be another person, who would get the role
            raise RoleNeedsVerifiedEmail
        if not await tx.accounts.set_role(account.id, role, now):
            raise LastAdmin
        ended = await end_trust(env, tx, account.id, EndReason.ROLE_CHANGED, now, delete_devices=False)
        changed = operator.event(now, EventKind.ROLE_CHANGED, account.id, current.role.value, role.value)
        await tx.events.record(changed)
    env.letters_waiting.set()
    await announce_end(env, ended)
    return len(ended.session_ids)
