"""Tell the owner of an account what happened to it, a limited number of times a day.

Without a limit, anybody who has the password could cause letters without end, and other letters would wait behind them.
Each kind of notice has its own limit, so that many harmless notices do not suppress an important one. An event is
recorded in any case.
"""

from datetime import timedelta

from vestibule.model.letters import NOTICES, LetterKind, QueuedLetter
from vestibule.model.limits import Limit
from vestibule.model.store import Ports

NOTICES_A_DAY = 10
NOTICES_WITHIN = timedelta(days=1)

_LIMITS_BY_KIND = {kind: Limit(f"{kind.value}_letters", NOTICES_A_DAY, NOTICES_WITHIN) for kind in NOTICES}
ONE_A_DAY = Limit("one_letter_a_day", times=1, within=timedelta(days=1))
"""A stricter limit, for notices that somebody else can cause again and again."""


async def allow_notices(tx: Ports, account_id: str, kind: LetterKind) -> None:
    """Reset today's count of notices of this kind to the account, because somebody else used it up."""
    await tx.rate_counters.clear(_LIMITS_BY_KIND[kind], account_id)


async def tell_owner(tx: Ports, notice: QueuedLetter, limit: Limit | None = None) -> bool:
    """Queue the notice, unless its account has had `NOTICES_A_DAY` of this kind; return whether that was done. `limit`
    replaces the limit of the kind. Call it inside the transaction that makes the change.
    """
    limit = limit or _LIMITS_BY_KIND[notice.kind]
    if notice.account_id is None or not await tx.rate_counters.take(limit, notice.account_id, notice.created_at):
        return False
    await tx.letters.queue(notice)
    return True
