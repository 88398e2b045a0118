"""Re-authentication: require a recent sign-in for what could harm the account's owner (ASVS 5.0, 7.5.1).

Flows that change a credential or delete the account ask for the current password. Other sensitive flows require that
the caller's token tells of a recent sign-in: the user steps up (`flows/step_up.py`), and repeats the request with the
new token.

A password or a session that was just checked may be void a moment later, because a reset of the password commits in
between. So each flow checks again with these functions, inside the transaction that makes the change, with the account
locked.
"""

from datetime import datetime, timedelta

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.accounts import Account
from vestibule.model.clock import MOST_APART
from vestibule.model.errors import ReauthenticationRequired, SessionOver, WrongPassword
from vestibule.model.sessions import EndReason, Session
from vestibule.model.store import Ports

PASSWORD = "password"
"""The way to sign in again that every account has, as a refusal names it."""


async def lock_unchanged(tx: Ports, account: Account, session_id: str, now: datetime) -> None:
    """Lock the account, unchanged since its password was checked. Call it first in the transaction.

    Raises `WrongPassword` if the account's epoch has changed since the check, or if it is disabled or gone; and
    `SessionOver` if the session has ended.
    """
    current = await tx.accounts.lock(account.id)
    if current is None or current.epoch != account.epoch or current.disabled_at is not None:
        raise WrongPassword
    await require_live_session(tx, account.id, session_id, now)


async def require_recent_sign_in(env: Env, tx: Ports, caller: Caller, now: datetime) -> None:
    """Raise `ReauthenticationRequired` unless the caller's token tells of a sign-in that is recent enough. Raise
    `SessionOver` if the session has ended since `identify`. Call it inside the transaction: what it raises undoes that.

    A later sign-in of the session does not help an older token. A sign-in in the future, by a clock that was ahead, is
    not recent.
    """
    await require_live_session(tx, caller.account.id, caller.session_id, now)
    longest_ago = env.policy.reauthentication
    age = timedelta(seconds=int(now.timestamp()) - caller.authenticated_at)  # tokens have whole seconds
    if not -2 * MOST_APART <= age <= longest_ago:
        raise ReauthenticationRequired((PASSWORD,), int(longest_ago.total_seconds()))


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
