"""Re-authentication: what could hurt the account's owner needs a sign-in that is not long ago (ASVS 5.0, 7.5.1).

What changes a credential or deletes the account asks for the current password itself; this is for the rest. Signing in
again is all that is needed: it makes a new session, and with that the request is repeated.

Either proof is good only as long as nothing ended what it was given in. Between a proof and what it allows a mailed
reset may commit: so a flow that goes on asks here again, inside the transaction that does it, and with the account
locked.
"""

from datetime import datetime

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.accounts import Account
from vestibule.model.clock import MOST_APART
from vestibule.model.errors import SessionOver, WrongPassword
from vestibule.model.sessions import EndReason, Session
from vestibule.model.store import Transaction


async def require_still_verified(tx: Transaction, account: Account, session_id: str, now: datetime) -> None:
    """Lock the account, first in its transaction. Raises `WrongPassword` if it is in another epoch than that in which
    the password was found right, disabled, or gone; and `SessionOver` if the session by which it was given has ended.
    """
    there = await tx.accounts.lock(account.id)
    if there is None or there.epoch != account.epoch or there.disabled_at is not None:
        raise WrongPassword
    await live_session(tx, account.id, session_id, now)


async def signed_in_lately(env: Env, tx: Transaction, caller: Caller, now: datetime) -> bool:
    """Return whether the caller's session began within the time that the policy gives, or the policy gives none. A
    session that began later than now, by a clock that was ahead, does not count. Raises `SessionOver` if it has ended,
    which `identify` may have been too early to see.
    """
    session = await live_session(tx, caller.account.id, caller.session_id, now)
    within = env.policy.reauthentication
    return not within or -2 * MOST_APART <= now - session.created_at <= within


async def live_session(tx: Transaction, account_id: str, session_id: str, now: datetime) -> Session:
    """Return the account's session; raises `SessionOver` if it has ended, or is another's."""
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
