"""Re-authentication: what could hurt the account's owner needs a sign-in that is not long ago (ASVS 5.0, 7.5.1).

What changes a credential or deletes the account asks for the current password itself; this is for the rest. Signing in
again is all that is needed: it makes a new session, and with that the request is repeated.
"""

from datetime import datetime

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.store import Transaction


async def signed_in_lately(env: Env, tx: Transaction, caller: Caller, now: datetime) -> bool:
    """Whether the caller's session began within the time that the policy gives, or the policy gives none."""
    within = env.policy.reauthentication
    if not within:
        return True
    found = await tx.sessions.find(caller.session_id)
    return found is not None and now - found[0].created_at <= within
