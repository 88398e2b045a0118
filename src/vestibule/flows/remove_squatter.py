"""Remove a squatter: an account whose email nobody verified makes place for somebody whose email it is."""

from datetime import datetime

from vestibule.flows.end_sessions import refuse_account
from vestibule.flows.env import Env
from vestibule.model.events import Event, EventKind
from vestibule.model.revocations import Revocation
from vestibule.model.store import Transaction


async def remove_squatter(env: Env, tx: Transaction, email: str, owner_id: str, now: datetime) -> list[Revocation]:
    """Delete the account that has this email and never verified it, unless it is the owner's, and refuse its tokens."""
    squatter = await tx.accounts.remove_squatter(email, owner_id)
    if squatter is None:
        return []
    await tx.events.record(Event(now, EventKind.SQUATTER_REMOVED, detail={"account": squatter, "owner": owner_id}))
    return await refuse_account(env, tx, squatter, now)
