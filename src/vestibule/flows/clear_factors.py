"""Clear factors: remove second factors that somebody else may have added, when an account goes to its email's owner."""

from collections.abc import Sequence
from datetime import datetime

from vestibule.flows.tell_of_factor import tell_of_factor
from vestibule.model.events import EventKind
from vestibule.model.factors import FactorKind
from vestibule.model.letters import LetterKind
from vestibule.model.store import Ports


async def clear_factors(tx: Ports, account_id: str, since: datetime | None = None) -> Sequence[FactorKind]:
    """Remove the account's factors; with `since`, only those added at that moment or later. With the last one, remove
    the recovery codes and the counters of wrong codes too. Cancel a reset of factors. Return what was removed, as
    `Factors.clear` does. Call it in the transaction that gives the account to the owner, with the account locked.
    """
    await tx.factor_resets.cancel(account_id)
    removed = await tx.factors.clear(account_id, since)
    if since is None or not (await tx.factors.of(account_id)).needed:
        await tx.recovery_codes.delete_of(account_id)
        await tx.login_attempts.reset_second_factor(account_id)
    return removed


async def clear_unproven(tx: Ports, account_id: str, now: datetime) -> None:
    """Remove the second factors that were added before the email was verified, and tell the owner: a stranger may have
    registered the email and added them. End pending sign-ins, and lower the level of sessions to one factor. Call it in
    the transaction that verifies the email, after that step.
    """
    if not (await tx.factors.of(account_id)).needed:
        return
    event, letter = EventKind.FACTOR_REMOVED, LetterKind.FACTOR_REMOVED
    for kind in dict.fromkeys(await clear_factors(tx, account_id)):
        if kind is not FactorKind.RECOVERY_CODE:  # recovery codes alone are no factor
            await tell_of_factor(tx, account_id, event, letter, {"factor": kind.value}, None, now)
    await tx.pending_sign_ins.delete_of(account_id)
    await tx.sessions.drop_second_factor(account_id)
