"""End trust: what was opened and what was asked for before ends together, whatever a mail server still holds back."""

from datetime import UTC, datetime

from vestibule.flows.end_sessions import Ended, end_account
from vestibule.flows.env import Env
from vestibule.model.sessions import EndReason
from vestibule.model.store import Transaction

EVER = datetime.min.replace(tzinfo=UTC)


async def end_trust(
    env: Env,
    tx: Transaction,
    account_id: str,
    reason: EndReason,
    now: datetime,
    *,
    ways_back_since: datetime | None = None,
    devices: bool = True,
) -> Ended:
    """End every session, token and mailed link of an account, what was asked for and is not mailed yet, and every known
    device, unless not `devices`; return what ended. Call it in the transaction that begins another epoch, after the
    step that does, and queue new letters and add the browser to the known devices after it.

    Links that undo a change of email stay, unless the change was at `ways_back_since` or later: an attacker who took
    the account could close its owner's way back otherwise.
    """
    ended = await end_account(env, tx, account_id, reason, now)
    await void_what_was_asked(tx, account_id, now, ways_back_since=ways_back_since)
    if devices:
        await tx.known_devices.delete_of(account_id)
    return ended


async def void_what_was_asked(
    tx: Transaction, account_id: str, now: datetime, *, ways_back_since: datetime | None = None
) -> None:
    """Kill mailed tokens and withdraw the letters that would bring one; both in the order of locks."""
    await tx.one_time_tokens.void(account_id, undo_since=ways_back_since)
    await tx.letters.withdraw(account_id, now, undo_since=ways_back_since)
