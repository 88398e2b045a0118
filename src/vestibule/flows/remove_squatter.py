"""Remove a squatter: an unverified account that has an email whose owner wants it for another account."""

from datetime import datetime

from vestibule.flows.clear_history import clear_history
from vestibule.flows.end_sessions import end_account
from vestibule.flows.env import Env
from vestibule.model.events import Event, EventKind
from vestibule.model.operator_errors import LastAdmin
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports


async def remove_squatter(env: Env, tx: Ports, email: str, owner_id: str, now: datetime) -> list[Revocation]:
    """Delete the account that has this email and never verified it, unless its id is `owner_id` or it is the last
    enabled admin, and refuse its tokens; return the revocations. An account that stays keeps the email. Raises
    `LastAdmin` if the other admins are taken away at the same moment.
    """
    holder = await tx.accounts.lock_at(email)
    if holder is None or holder.verified or holder.id == owner_id:
        return []
    if await tx.accounts.enabled_admins(2) == [holder.id]:
        return []
    # End its sessions first: with the account their rows go, and with them the ids to revoke.
    ended = await end_account(env, tx, holder.id, EndReason.ACCOUNT_DELETED, now)
    await tx.letters.delete_of(holder.id)
    await clear_history(tx, holder.id, now)
    if not await tx.accounts.remove_squatter(holder.id, email):
        raise LastAdmin
    await tx.events.record(Event(now, EventKind.SQUATTER_REMOVED, detail={"account": holder.id, "owner": owner_id}))
    return list(ended.revocations)
