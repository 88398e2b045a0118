"""The roles that operators make, on the console: what each permits in services, and how many people have it."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.custom_roles import (
    TAKEN_AT_ONCE,
    create_custom_role,
    delete_custom_role,
    find_held_role,
    list_held_roles,
    set_role_permissions,
    take_from_everybody,
)
from vestibule.model.custom_roles import MOST_COUNTED, HeldRole, NotAPermission, role_permissions
from vestibule.model.errors import Refusal
from vestibule.model.operator_errors import RoleInUse, RoleTaken, TooManyRoles
from vestibule.web.api.admin import admin_bodies
from vestibule.web.body import validate
from vestibule.web.caller import EnvDep
from vestibule.web.console.notices import UNCHANGED, notice_of
from vestibule.web.console.role_words import WHY_NO_ROLE, WRONG_NAME, WRONG_PERMISSIONS
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.operator_guard import ActingOnPage
from vestibule.web.pages import render, return_to
from vestibule.web.pages.browser_session import SessionForm
from vestibule.web.pages.route import see_other
from vestibule.web.pages.words import Sentence
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

ROLES = "/admin/roles"
_WRONG = 400
_AT_FAULT = {"name": WRONG_NAME, "permissions": WRONG_PERMISSIONS}


async def show(request: Request, env: EnvDep) -> Response:
    """Show the roles, with what each permits and how many people have it."""
    roles = [_shown(held) for held in await list_held_roles(env)]
    return render.page(request, "console/roles.html", roles=roles, most=MOST_COUNTED, notice=notice_of(request))


async def ask_create(request: Request) -> Response:
    """Ask for the name of a new role, and what it permits."""
    return _new(request, "")


async def create(request: Request, env: EnvDep, form: SessionForm, operator: ActingOnPage) -> Response:
    """Create a role, and go back to the roles."""
    name, typed = form.get("name", "").strip(), form.get("permissions", "")
    try:
        sent = validate(admin_bodies.NewRole, {"name": name, "permissions": typed.split()}, site_of(request).policy)
        await create_custom_role(env, operator, sent.name, sent.permissions)
    except BodyInvalid as invalid:
        fields = [entry["path"][-1] for entry in invalid.entries]
        return _new(request, typed, _WRONG, {field: _AT_FAULT[field] for field in fields})
    except (RoleTaken, TooManyRoles) as refused:
        return _new(request, typed, _status(refused), {"name": WHY_NO_ROLE[type(refused)]})
    return _back("role_created")


async def ask_change(request: Request, env: EnvDep, name: str) -> Response:
    """Ask which permissions a role should have; raises `RoleUnknown`."""
    return _change(request, name, "\n".join((await find_held_role(env, name)).role.permissions))


async def change(request: Request, env: EnvDep, form: SessionForm, operator: ActingOnPage, name: str) -> Response:
    """Set what a role permits, and go back to the roles; raises `RoleUnknown`."""
    typed = form.get("permissions", "")
    try:
        wanted = role_permissions(typed.split())
    except NotAPermission:
        return _change(request, name, typed, _WRONG, {"permissions": WRONG_PERMISSIONS})
    changed = await set_role_permissions(env, operator, name, wanted)
    return _back("role_changed" if changed else UNCHANGED)


async def ask_take(request: Request, env: EnvDep, name: str) -> Response:
    """Ask before a role is taken from everybody; raises `RoleUnknown`."""
    held, notice = _shown(await find_held_role(env, name)), notice_of(request)
    return render.page(
        request, "console/take_role.html", role=held, most=MOST_COUNTED, at_once=TAKEN_AT_ONCE, notice=notice
    )


async def take(env: EnvDep, _form: SessionForm, operator: ActingOnPage, name: str) -> Response:
    """Take a role from up to `TAKEN_AT_ONCE` people. Go back to the question if others still have the role, otherwise
    to the roles. Raises `RoleUnknown`.
    """
    await take_from_everybody(env, operator, name)
    left = (await find_held_role(env, name)).holders
    return _back("role_taken", f"{ROLES}/{name}/take" if left else ROLES)


async def ask_delete(request: Request, env: EnvDep, name: str) -> Response:
    """Ask before a role is deleted; raises `RoleUnknown`."""
    return _delete(request, await find_held_role(env, name))


async def delete(request: Request, env: EnvDep, _form: SessionForm, operator: ActingOnPage, name: str) -> Response:
    """Delete a role that nobody has, and go back to the roles; raises `RoleUnknown`."""
    try:
        await delete_custom_role(env, operator, name)
    except RoleInUse as refused:
        faults = {"role": WHY_NO_ROLE[RoleInUse]}
        return _delete(request, await find_held_role(env, name), _status(refused), faults)
    return _back("role_deleted")


def _new(request: Request, typed: str, status: int = 200, faults: dict[str, Sentence] | None = None) -> Response:
    return render.page(request, "console/new_role.html", status, faults=faults, typed=typed, at=ROLES)


def _change(
    request: Request, name: str, typed: str, status: int = 200, faults: dict[str, Sentence] | None = None
) -> Response:
    return render.page(
        request, "console/role_permissions.html", status, faults=faults, role=name, typed=typed, at=ROLES
    )


def _delete(request: Request, held: HeldRole, status: int = 200, faults: dict[str, Sentence] | None = None) -> Response:
    return render.page(
        request, "console/delete_role.html", status, faults=faults, role=_shown(held), most=MOST_COUNTED, at=ROLES
    )


def _shown(held: HeldRole) -> dict[str, object]:
    return {"name": held.role.name, "permissions": held.role.permissions, "holders": held.holders}


def _status(refusal: Refusal) -> int:
    return HTTP_MAPPINGS[type(refusal)].status


def _back(done: str, to: str = ROLES) -> Response:
    return see_other(return_to.with_query(to, done=done))
