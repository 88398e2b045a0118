"""Set loose: what lies behind an account goes before it does, a batch in each statement.

Anybody can make much happen to an account, and who knows its password can fill it with sessions that are over. In one
statement that could take longer than a statement may, and the account could not be deleted any more.
"""

from datetime import datetime

from vestibule.model.store import Transaction

AT_ONCE = 1_000
"""Rows of each kind: so that nobody waits for their locks."""


async def set_some_loose(tx: Transaction, account_id: str, now: datetime) -> bool:
    """Delete sessions that are over and letters that are settled, and detach events, a batch of each; return whether
    there may be more. The account is locked.
    """
    sessions = await tx.sessions.purge_past(account_id, now, AT_ONCE)
    letters = await tx.letters.purge_settled(account_id, AT_ONCE)
    events = await tx.events.detach(account_id, AT_ONCE)
    return max(sessions, letters, events) == AT_ONCE


async def set_loose(tx: Transaction, account_id: str, now: datetime) -> None:
    """Delete and detach all of that, batch after batch, in one transaction."""
    while await set_some_loose(tx, account_id, now):
        pass
