"""Import accounts from elsewhere, with their ids, roles and password hashes, so that nobody chooses a new password."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account, NotAnAddress, canonical_address
from vestibule.model.events import Event, EventKind


@dataclass
class ImportReport:
    """What became of the accounts that were read."""

    imported: int = 0
    already_there: int = 0
    refused: int = 0


async def import_accounts(
    env: Env, batches: AsyncIterator[Sequence[Account]], progress: Callable[[int], None]
) -> ImportReport:
    """Add what is missing, touch nothing that is there: doing it twice does no harm.

    Each batch is a transaction of its own. `progress` is told how many rows a batch held.
    """
    report = ImportReport()
    async for batch in batches:
        usable = [account for account in map(_canonical, batch) if account is not None]
        added = await _add_missing(env, usable)
        report.imported += added
        report.already_there += len(usable) - added
        report.refused += len(batch) - len(usable)
        progress(len(batch))
    return report


@retry_on_conflict
async def _add_missing(env: Env, accounts: Sequence[Account]) -> int:
    async with env.store.transaction() as tx:
        added = await tx.accounts.add_missing(accounts)
        if added:
            detail = {"accounts": str(added)}
            await tx.events.record(Event(env.clock.now(), EventKind.IMPORTED, detail=detail))
    return added


def _canonical(account: Account) -> Account | None:
    try:
        return replace(account, address=canonical_address(account.address))
    except NotAnAddress:
        return None
