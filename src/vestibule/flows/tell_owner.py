"""Tell the owner of an account what happened to it, a limited number of times in a day.

Anybody who has the password can make things happen without an end, and every letter keeps others waiting. Each kind of
notice is counted by itself, so that nothing harmless, done often, keeps another kind from being told. What happened is
an event in any case.
"""

from datetime import timedelta

from vestibule.model.letters import NOTICES, QueuedLetter
from vestibule.model.limits import Limit
from vestibule.model.store import Transaction

NOTICES_A_DAY = 10

_OF_KIND = {kind: Limit(f"{kind.value}_letters", NOTICES_A_DAY, timedelta(days=1)) for kind in NOTICES}


async def tell_owner(tx: Transaction, notice: QueuedLetter, limit: Limit | None = None) -> None:
    """Queue the notice, inside the transaction in which it happens, unless the account has had enough of its kind
    today; `limit` counts it by itself instead.
    """
    if notice.account_id is not None and await tx.rate_counters.take(
        limit or _OF_KIND[notice.kind], notice.account_id, notice.created_at
    ):
        await tx.letters.queue(notice)
