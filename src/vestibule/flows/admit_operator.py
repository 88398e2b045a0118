"""Admit an operator to the console or its API: by role, by the token's level of authentication, and by how recent the
sign-in is.

Level and time are those of the token, not of the session: if the session was stepped up later, only new tokens gain.
"""

from datetime import UTC, datetime

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.reauthenticate import PASSWORD, signed_in_within
from vestibule.model.errors import ReauthenticationRequired
from vestibule.model.factors import FactorKind
from vestibule.model.operator_errors import NotWhileActing, PermissionMissing
from vestibule.model.operators import RECENT, Console
from vestibule.model.permissions import OF_ROLE, Permission
from vestibule.protocol.authentication import Level

ENROL_AT = "/profile/security"
"""The page on which an account sets up its first second factor."""
_RECENT_SECONDS = int(RECENT.total_seconds())


async def admit_operator(env: Env, caller: Caller, permission: Permission) -> None:
    """Admit a caller who has the permission, and signed in within the last 15 minutes with a second factor. If
    `policy.console` does not require a second factor, an account without one is admitted by one factor.

    Raises `NotWhileActing` if the caller acts as somebody else, `PermissionMissing` if the role does not allow this,
    and otherwise `ReauthenticationRequired`.
    """
    if caller.actor_id is not None:
        raise NotWhileActing
    if permission not in OF_ROLE[caller.account.role]:
        raise PermissionMissing(permission)
    recent = signed_in_within(RECENT, caller, env.clock.now())
    # Also for a token of two factors: the account may have removed its last one since.
    async with env.store.reading() as read:
        kinds = (await read.factors.of(caller.account.id)).kinds
    two_factors = bool(kinds) or env.policy.console is Console.TWO_FACTORS
    lacks_factor = two_factors and caller.level < Level.TWO_FACTORS
    if two_factors and not kinds:
        enrol_at = f"{env.policy.own_base}{ENROL_AT}"
        raise ReauthenticationRequired(_can_be_set_up(env), _RECENT_SECONDS, lacks_factor=True, enrol_at=enrol_at)
    if lacks_factor or not recent:
        raise ReauthenticationRequired(kinds or (PASSWORD,), _RECENT_SECONDS, lacks_factor=lacks_factor and recent)


def counts_until(caller: Caller) -> datetime:
    """Return until when the caller's sign-in is recent enough for an operator."""
    return datetime.fromtimestamp(caller.authenticated_at, UTC) + RECENT


def _can_be_set_up(env: Env) -> tuple[FactorKind, ...]:
    apps = (FactorKind.TOTP,) if env.seal is not None else ()
    return apps + ((FactorKind.PASSKEY,) if env.policy.relying_party is not None else ())
