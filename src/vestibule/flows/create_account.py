"""Create account: an operator creates one for somebody, with a random password."""

from vestibule.crypto.entropy import new_id, random_bytes
from vestibule.flows.announce import announce
from vestibule.flows.env import Env
from vestibule.flows.remove_squatter import remove_squatter
from vestibule.flows.require_operator import lock_operator
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account, Role
from vestibule.model.errors import EmailTaken
from vestibule.model.events import EventKind
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.revocations import Revocation

_PASSWORD_BYTES = 16  # as hex 32 characters, which every setting of the password length allows


async def create_account(env: Env, operator: Operator, name: str, email: str, role: Role) -> tuple[Account, str]:
    """Create an account and return it with its password. `email` is canonical, and counts as verified. Delete an
    unverified account with that email. Raises `EmailTaken` if another account has verified the email, or had it before
    and can still restore it; `LastAdmin` as `remove_squatter` does; `Overloaded`; and `PermissionMissing` and
    `SessionOver`, about the operator.
    """
    password = random_bytes(_PASSWORD_BYTES).hex()
    password_hash = await env.passwords.hash(password)
    now = env.clock.now()
    account = Account(
        id=new_id(),
        name=name,
        email=email,
        role=role,
        verified=True,
        created_at=now,
        updated_at=now,
        password_hash=password_hash,
    )
    added, revoked = await _add(env, operator, account)
    if not added:
        raise EmailTaken
    await announce(env, revoked)
    return account, password


@retry_on_conflict
async def _add(env: Env, operator: Operator, account: Account) -> tuple[bool, list[Revocation]]:
    now = account.created_at
    async with env.store.transaction() as tx:
        for permission in _permissions_to_create(account.role):
            await lock_operator(tx, operator, permission, now)
        revoked = await remove_squatter(env, tx, account.email, account.id, now)
        added = await tx.accounts.add(account)
        if added:
            role = account.role.value
            await tx.events.record(operator.event(now, EventKind.REGISTERED, account.id, role=role))
            await tx.login_attempts.reset_all(account.id, account.email)
    return added, revoked


def _permissions_to_create(role: Role) -> list[Permission]:
    """Return the permissions that an operator needs to create an account with this role."""
    return [Permission.PEOPLE_CHANGE] if role is Role.USER else [Permission.PEOPLE_CHANGE, Permission.PEOPLE_ROLES]
