"""Handlers that list, create, change and delete custom roles for operators."""

from starlette.responses import Response

from vestibule.flows.custom_roles import (
    create_custom_role,
    delete_custom_role,
    list_held_roles,
    set_role_permissions,
    take_from_everybody,
)
from vestibule.web.api import answers
from vestibule.web.api.admin import admin_answers, admin_bodies, roles_answers
from vestibule.web.body import Sent
from vestibule.web.caller import EnvDep
from vestibule.web.operator_guard import ActingOperator

_CREATED = 201


async def list_roles(env: EnvDep) -> Response:
    """List the roles that operators made, what each permits in services, and how many accounts have it."""
    listed = [roles_answers.ListedRole.with_holders(held) for held in await list_held_roles(env)]
    return answers.as_json(roles_answers.ListedRoles(data=roles_answers.RolesData(roles=listed)))


async def create_role(env: EnvDep, operator: ActingOperator, sent: Sent[admin_bodies.NewRole]) -> Response:
    """Create a role. Then give it to accounts: `POST /api/admin/people/{account_id}/set-roles`."""
    role = await create_custom_role(env, operator, sent.name, sent.permissions)
    data = roles_answers.RoleData(role=roles_answers.ShownRole.of(role))
    return answers.as_json(roles_answers.RoleCreated(data=data), _CREATED)


async def set_permissions(
    env: EnvDep, operator: ActingOperator, name: str, sent: Sent[admin_bodies.SetPermissions]
) -> Response:
    """Set what a role permits: these and no others. Services learn of it within seconds; no session ends."""
    changed = await set_role_permissions(env, operator, name, sent.permissions)
    return answers.as_json(admin_answers.ActDone(data=admin_answers.ActData(changed=changed)))


async def take_role(env: EnvDep, operator: ActingOperator, name: str) -> Response:
    """Take a role from up to 100 accounts that have it, and end their sessions. Send it again until `taken` is 0."""
    taken = await take_from_everybody(env, operator, name)
    return answers.as_json(roles_answers.RoleTakenFrom(data=roles_answers.TakenData(taken=taken)))


async def delete_role(env: EnvDep, operator: ActingOperator, name: str) -> Response:
    """Delete a role that no account has."""
    await delete_custom_role(env, operator, name)
    return answers.as_json(answers.Success())
