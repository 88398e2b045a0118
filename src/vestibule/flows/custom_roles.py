"""Custom roles: list, create, change and delete them."""

from collections.abc import Collection

from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_operator
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.set_custom_roles import take_custom_role
from vestibule.model.custom_roles import (
    MOST_COUNTED,
    CustomRole,
    HeldRole,
    is_role_name,
    role_name,
    role_permissions,
)
from vestibule.model.events import EventKind
from vestibule.model.operator_errors import RoleInUse, RoleTaken, RoleUnknown, TooManyRoles
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.store import Ports

TAKEN_AT_ONCE = 100


async def list_custom_roles(env: Env) -> list[CustomRole]:
    """Return every custom role, by name."""
    async with env.store.reading() as read:
        return await read.custom_roles.all()


async def list_held_roles(env: Env) -> list[HeldRole]:
    """Return every custom role, by name, and how many accounts have it, counted up to `MOST_COUNTED`."""
    async with env.store.reading() as read:
        return await read.custom_roles.held(MOST_COUNTED)


async def find_held_role(env: Env, name: str) -> HeldRole:
    """Return a custom role, and how many accounts have it, as `list_held_roles` does; raises `RoleUnknown`."""
    found = next((held for held in await list_held_roles(env) if held.role.name == name), None)
    if found is None:
        raise RoleUnknown(name)
    return found


@retry_on_conflict
async def create_custom_role(env: Env, operator: Operator, name: str, permissions: Collection[str]) -> CustomRole:
    """Create a role and return it. Raises `NotARole`, `NotAPermission`, `RoleTaken`, `TooManyRoles`; and
    `PermissionMissing` and `SessionOver`, about the operator.
    """
    now = env.clock.now()
    role = CustomRole(role_name(name), role_permissions(permissions), now, now)
    async with env.store.transaction() as tx:
        await lock_operator(tx, operator, Permission.ROLES_CHANGE, now)
        await tx.custom_roles.lock_all()
        if name in await tx.custom_roles.keep([name]):
            raise RoleTaken
        if not await tx.custom_roles.add(role):
            raise TooManyRoles
        after = " ".join(role.permissions)
        await tx.events.record(operator.event(now, EventKind.ROLE_CREATED, None, None, after, custom_role=name))
    return role


@retry_on_conflict
async def set_role_permissions(env: Env, operator: Operator, name: str, permissions: Collection[str]) -> bool:
    """Give the role these permissions and no others; return False if it has them already. No session ends: services
    learn of it within seconds. Raises `NotAPermission`, `RoleUnknown`; and what `create_custom_role` raises about the
    operator.
    """
    now, wanted = env.clock.now(), role_permissions(permissions)
    async with env.store.transaction() as tx:
        await lock_operator(tx, operator, Permission.ROLES_CHANGE, now)
        role = await _locked(tx, name)
        if role.permissions == wanted:
            return False
        await tx.custom_roles.set_permissions(name, wanted, now)
        before, after = " ".join(role.permissions), " ".join(wanted)
        changed = operator.event(now, EventKind.ROLE_PERMISSIONS_CHANGED, None, before, after, custom_role=name)
        await tx.events.record(changed)
    return True


async def take_from_everybody(env: Env, operator: Operator, name: str, most: int = TAKEN_AT_ONCE) -> int:
    """Take the role from up to `most` accounts, in a transaction for each, and end their sessions. Return how many lost
    it: 0 if nobody has it. Raises `RoleUnknown`; and what `create_custom_role` raises about the operator.
    """
    if name not in {role.name for role in await list_custom_roles(env)}:
        raise RoleUnknown(name)
    async with env.store.reading() as read:
        holders = await read.custom_roles.holders(name, most)
    taken = [await take_custom_role(env, operator, account_id, name) for account_id in holders]
    return sum(ended is not None for ended in taken)


@retry_on_conflict
async def delete_custom_role(env: Env, operator: Operator, name: str) -> None:
    """Delete a role that nobody has. Raises `RoleUnknown`, `RoleInUse`; and what `create_custom_role` raises about the
    operator.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_operator(tx, operator, Permission.ROLES_CHANGE, now)
        role = await _locked(tx, name)
        if not await tx.custom_roles.remove(name):
            raise RoleInUse
        before = " ".join(role.permissions)
        await tx.events.record(operator.event(now, EventKind.ROLE_DELETED, None, before, None, custom_role=name))


async def _locked(tx: Ports, name: str) -> CustomRole:
    """Lock the role and return it; raises `RoleUnknown`, also for a text that names no role."""
    role = await tx.custom_roles.lock(name) if is_role_name(name) else None
    if role is None:
        raise RoleUnknown(name)
    return role
