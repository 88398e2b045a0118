"""Every act of an operator on somebody's account, by its flow, as something to do with a person."""

import inspect
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sqlalchemy import text

from tests.harness.authenticator import Authenticator
from tests.harness.world import World
from tests.stories.passkeys import made_passkey
from vestibule import flows
from vestibule.crypto.entropy import new_id
from vestibule.flows.administer import disable_account, enable_account, end_session_of, sign_out_everywhere
from vestibule.flows.cancel_factor_reset import cancel_reset
from vestibule.flows.create_account import create_account
from vestibule.flows.custom_roles import (
    create_custom_role,
    delete_custom_role,
    set_role_permissions,
    take_from_everybody,
)
from vestibule.flows.delete_account import delete_account
from vestibule.flows.env import Env
from vestibule.flows.export_person import export_person
from vestibule.flows.find_people import find_account
from vestibule.flows.impersonate import impersonate
from vestibule.flows.invite import invite
from vestibule.flows.mail_link import mail_link
from vestibule.flows.mark_verified import mark_verified
from vestibule.flows.reset_factors import begin_reset, reset_now
from vestibule.flows.set_custom_roles import set_custom_roles, take_custom_role
from vestibule.flows.set_email import set_email
from vestibule.flows.set_role import set_role
from vestibule.flows.unlock_account import unlock_account
from vestibule.model.accounts import Account, Role
from vestibule.model.events import EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.login_attempts import AttemptCounter
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.model.permissions import Permission

ADDRESS = "203.0.113.5"
ADA, EVE = "ada@example.com", "eve@example.com"

Prepare = Callable[[World, Account], Awaitable[Any]]
Do = Callable[[Env, Operator, Account], Awaitable[Any]]


@dataclass(frozen=True)
class Act:
    """One act: the flow, what it needs to find, the event it leaves, what that says, and the permission it needs."""

    flow: Callable[..., Any]
    event: EventKind
    detail: dict[str, str]
    permission: Permission
    prepare: Prepare | None = None
    do: Do | None = None
    by_command_line: bool = True

    async def carry_out(self, env: Env, operator: Operator, account: Account) -> Any:
        return await (self.do or self.flow)(env, operator, account)


async def _disabled(world: World, account: Account) -> None:
    await disable_account(world.env, COMMAND_LINE, account)


async def _unverified(world: World, account: Account) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("UPDATE accounts SET verified = false WHERE id = :id"), {"id": account.id})


async def _guessed_at(world: World, account: Account) -> None:
    async with world.env.store.transaction() as tx:
        counter = AttemptCounter.of_others(account, account.email)
        await tx.login_attempts.take(counter, world.env.policy.login_attempts, world.clock.now())


async def _with_a_passkey(world: World, account: Account) -> None:
    async with world.env.store.transaction() as tx:
        await tx.passkeys.add(made_passkey(Authenticator(), account, world.clock.now()))


async def _being_reset(world: World, account: Account) -> None:
    await _with_a_passkey(world, account)
    await begin_reset(world.env, COMMAND_LINE, account)


async def _with_a_role(world: World, _: Account) -> None:
    await create_custom_role(world.env, COMMAND_LINE, "billing", ["invoices:read"])


async def _in_a_role(world: World, account: Account) -> None:
    await _with_a_role(world, account)
    await set_custom_roles(world.env, COMMAND_LINE, account, ["billing"])


async def _create_another(env: Env, operator: Operator, _: Account) -> Any:
    return await create_account(env, operator, "Bob", f"{new_id()}@example.com", Role.HELPER)


async def _end_the_session(env: Env, operator: Operator, account: Account) -> Any:
    async with env.store.reading() as read:
        (session,) = await read.sessions.of_account(account.id, 2, env.clock.now())
    return await end_session_of(env, operator, account, session.id)


CHANGE = Permission.PEOPLE_CHANGE
BY = {"by": "operator"}
ACTS = {
    "sign out everywhere": Act(
        sign_out_everywhere, EventKind.SESSIONS_ENDED, BY | {"sessions": "1"}, Permission.PEOPLE_SESSIONS
    ),
    "end one session": Act(
        end_session_of,
        EventKind.SESSION_ENDED,
        BY | {"reason": "ended_by_operator"},
        Permission.PEOPLE_SESSIONS,
        do=_end_the_session,
    ),
    "disable": Act(
        disable_account,
        EventKind.ACCOUNT_DISABLED,
        BY | {"from": "enabled", "to": "disabled", "reason": "spam"},
        CHANGE,
        do=lambda env, operator, account: disable_account(env, operator, account, "spam"),
    ),
    "enable": Act(
        enable_account, EventKind.ACCOUNT_ENABLED, BY | {"from": "disabled", "to": "enabled"}, CHANGE, _disabled
    ),
    "set the role": Act(
        set_role,
        EventKind.ROLE_CHANGED,
        BY | {"from": "user", "to": "auditor"},
        Permission.PEOPLE_ROLES,
        do=lambda env, operator, account: set_role(env, operator, account, Role.AUDITOR),
    ),
    "set custom roles": Act(
        set_custom_roles,
        EventKind.ROLES_CHANGED,
        BY | {"from": "", "to": "billing"},
        Permission.PEOPLE_ROLES,
        _with_a_role,
        lambda env, operator, account: set_custom_roles(env, operator, account, ["billing"]),
    ),
    "take a custom role": Act(
        take_custom_role,
        EventKind.ROLES_CHANGED,
        BY | {"from": "billing", "to": ""},
        Permission.PEOPLE_ROLES,
        _in_a_role,
        lambda env, operator, account: take_custom_role(env, operator, account.id, "billing"),
    ),
    "take a custom role from everybody": Act(
        take_from_everybody,
        EventKind.ROLES_CHANGED,
        BY | {"from": "billing", "to": ""},
        Permission.PEOPLE_ROLES,
        _in_a_role,
        lambda env, operator, _: take_from_everybody(env, operator, "billing"),
    ),
    "create a role": Act(
        create_custom_role,
        EventKind.ROLE_CREATED,
        BY | {"custom_role": "billing", "to": "invoices:read"},
        Permission.ROLES_CHANGE,
        do=lambda env, operator, _: create_custom_role(env, operator, "billing", ["invoices:read"]),
    ),
    "set the permissions of a role": Act(
        set_role_permissions,
        EventKind.ROLE_PERMISSIONS_CHANGED,
        BY | {"custom_role": "billing", "from": "invoices:read", "to": "invoices:read invoices:write"},
        Permission.ROLES_CHANGE,
        _with_a_role,
        lambda env, operator, _: set_role_permissions(env, operator, "billing", ["invoices:write", "invoices:read"]),
    ),
    "delete a role": Act(
        delete_custom_role,
        EventKind.ROLE_DELETED,
        BY | {"custom_role": "billing", "from": "invoices:read"},
        Permission.ROLES_CHANGE,
        _with_a_role,
        lambda env, operator, _: delete_custom_role(env, operator, "billing"),
    ),
    "unlock": Act(
        unlock_account, EventKind.ACCOUNT_UNLOCKED, BY | {"from": "nothing", "to": "nothing"}, CHANGE, _guessed_at
    ),
    "mail a link": Act(
        mail_link,
        EventKind.LINK_MAILED,
        BY | {"letter": "reset_password"},
        Permission.PEOPLE_LETTERS,
        do=lambda env, operator, account: mail_link(env, operator, account, LetterKind.RESET_PASSWORD),
    ),
    "mark verified": Act(
        mark_verified, EventKind.EMAIL_VERIFIED, BY | {"from": "not verified", "to": "verified"}, CHANGE, _unverified
    ),
    "act as somebody": Act(
        impersonate,
        EventKind.ACTING_BEGUN,
        BY | {"reason": "a ticket"},
        Permission.PEOPLE_IMPERSONATE,
        do=lambda env, operator, account: impersonate(env, operator, account.id, "a ticket"),
        by_command_line=False,
    ),
    "reset factors": Act(
        begin_reset, EventKind.FACTOR_RESET_BEGUN, BY | {"asked_by": "operator"}, CHANGE, _with_a_passkey
    ),
    "reset factors now": Act(reset_now, EventKind.FACTORS_RESET, BY, CHANGE, _with_a_passkey),
    "cancel the reset": Act(cancel_reset, EventKind.FACTOR_RESET_CANCELED, BY, CHANGE, _being_reset),
    "create": Act(
        create_account, EventKind.REGISTERED, BY | {"role": "helper"}, Permission.PEOPLE_ROLES, do=_create_another
    ),
    "set the email": Act(
        set_email,
        EventKind.LINK_MAILED,
        BY | {"letter": "confirm_new_email", "from": ADA, "to": "countess@example.com"},
        CHANGE,
        do=lambda env, operator, account: set_email(env, operator, account, "countess@example.com"),
    ),
    "invite": Act(
        invite,
        EventKind.INVITED,
        BY,
        CHANGE,
        do=lambda env, operator, _: invite(env, operator, "Bob", f"{new_id()}@example.com"),
    ),
    "export": Act(export_person, EventKind.DATA_EXPORTED, BY, Permission.PEOPLE_EXPORT),
    "delete": Act(delete_account, EventKind.ACCOUNT_DELETED, BY, Permission.PEOPLE_DELETE),
}


def flows_of_operators() -> set[str]:
    """The names of all public flows that take an `Operator` and open their own transaction."""
    modules = [import_module(f"{flows.__name__}.{each.name}") for each in pkgutil.iter_modules(flows.__path__)]
    found = [member for module in modules for member in vars(module).values() if inspect.iscoroutinefunction(member)]
    acts = [each for each in found if list(inspect.signature(each).parameters)[:2] == ["env", "operator"]]
    return {each.__name__ for each in acts if not each.__name__.startswith("_")}


async def somebody(world: World) -> Account:
    """Somebody with a verified email, who is signed in once."""
    account, password = await create_account(world.env, COMMAND_LINE, "Ada", ADA, Role.USER)
    await world.sign_in(ADA, password)
    return account


async def an_operator(world: World, role: Role = Role.ADMIN) -> Operator:
    """Eve, an operator with this role, in a session of hers."""
    account, password = await create_account(world.env, COMMAND_LINE, "Eve", EVE, role)
    await world.sign_in(EVE, password)
    async with world.env.store.reading() as read:
        (session,) = await read.sessions.of_account(account.id, 2, world.clock.now())
    return Operator(account.id, session.id, ADDRESS)


async def give_role(world: World, operator: Operator, role: Role) -> None:
    """Give the operator another role, past the flows."""
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(
            text("UPDATE accounts SET role = :role WHERE id = :id"), {"role": role.value, "id": operator.account_id}
        )


async def account_of(world: World, email: str) -> Account | None:
    """The account as it is stored now."""
    return await find_account(world.env, email)
