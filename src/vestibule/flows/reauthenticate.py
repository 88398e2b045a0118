"""Re-authentication: require a recent sign-in for what could harm the account's owner (ASVS 5.0, 7.5.1).

Flows that change a credential or delete the account ask for the current password. Other sensitive flows require that
the session began recently: the user signs in again and repeats the request in the new session.

A password or a session that was just checked may be void a moment later, because a reset of the password commits in
between. So each flow checks again with these functions, inside the transaction that makes the change, with the account
locked.
"""

from datetime import datetime

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.accounts import Account
from vestibule.model.clock import MOST_APART
from vestibule.model.errors import ReauthenticationRequired, SessionOver, WrongPassword
from vestibule.model.sessions import EndReason, Session
from vestibule.model.store import Ports


async def lock_unchanged(tx: Ports, account: Account, session_id: str, now: datetime) -> None:
    """Lock the account, unchanged since its password was checked. Call it first in the transaction.

    Raises `WrongPassword` if the account's epoch has changed since the check, or if it is disabled or gone; and
    `SessionOver` if the session has ended.
    """
    current = await tx.accounts.lock(account.id)
    if current is None or current.epoch != account.epoch or current.disabled_at is not None:
        raise WrongPassword
    await require_live_session(tx, account.id, session_id, now)


async def signed_in_recently(env: Env, tx: Ports, caller: Caller, now: datetime) -> bool:
    """Return whether the caller's session began recently enough for the policy; True if the policy sets no time.

    A session that began in the future, by a clock that was ahead, is not recent. Raises `SessionOver` if the session
    has ended since `identify`.
    """
    session = await require_live_session(tx, caller.account.id, caller.session_id, now)
    longest_ago = env.policy.reauthentication
    age = now - session.created_at
    return not longest_ago or -2 * MOST_APART <= age <= longest_ago


async def require_recent_sign_in(env: Env, tx: Ports, caller: Caller, now: datetime) -> None:
    """Raise `ReauthenticationRequired` if the caller's sign-in is too long ago, and `SessionOver`. Raised inside the
    transaction, which it undoes.
    """
    if not await signed_in_recently(env, tx, caller, now):
        raise ReauthenticationRequired


async def require_live_session(tx: Ports, account_id: str, session_id: str, now: datetime) -> Session:
    """Return the session; raises `SessionOver` if it has ended, or is not this account's."""
    found = await tx.sessions.find(session_id)
    if found is None or found[1].id != account_id:
        raise SessionOver
    session, account = found
    if account.disabled_at is not None:
        raise SessionOver(EndReason.ACCOUNT_DISABLED)
    reason = session.why_over(now)
    if reason is not None:
        raise SessionOver(reason)
    return session
