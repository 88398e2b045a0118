"""Clear factors: remove the second factors of somebody who loses the account to the owner of its email."""

from collections.abc import Sequence
from datetime import datetime

from vestibule.model.factors import FactorKind
from vestibule.model.store import Ports


async def clear_factors(tx: Ports, account_id: str, since: datetime | None = None) -> Sequence[FactorKind]:
    """Remove the account's factors; with `since`, only those added at that moment or later. With the last one, its
    recovery codes and the counters of wrong codes go too. A reset of factors that is under way ends. Return what was
    removed, as `Factors.clear` does. Call it in the transaction that gives the account away, with the account locked.
    """
    await tx.factor_resets.cancel(account_id)
    removed = await tx.factors.clear(account_id, since)
    if since is None or not (await tx.factors.of(account_id)).needed:
        await tx.recovery_codes.delete_of(account_id)
        await tx.login_attempts.forgive_second_factor(account_id)
    return removed
