"""Clear an account's history before the account is deleted: delete old sessions and settled letters, detach events.

An account may have any number of these rows: anybody can cause events, and anybody with the password can open sessions.
Deleting all in one statement could exceed the statement timeout, and then the account could not be deleted.
"""

from datetime import datetime

from vestibule.model.store import Ports

AT_ONCE = 1_000
"""Rows of each kind in one statement. Few, so that others do not wait long for their locks."""


async def clear_some_history(tx: Ports, account_id: str, now: datetime) -> bool:
    """Delete a batch of sessions that are over and one of settled letters, and detach a batch of events from the
    account. Return whether there may be more. The caller has locked the account.
    """
    sessions = await tx.sessions.purge_past(account_id, now, AT_ONCE)
    letters = await tx.letters.purge_settled(account_id, AT_ONCE)
    events = await tx.events.detach(account_id, AT_ONCE)
    return max(sessions, letters, events) == AT_ONCE


async def clear_history(tx: Ports, account_id: str, now: datetime) -> None:
    """Clear the whole history, batch after batch, in one transaction."""
    while await clear_some_history(tx, account_id, now):
        pass
