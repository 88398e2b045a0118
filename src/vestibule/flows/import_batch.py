"""One batch of accounts to import, compared with the accounts that are here (`import_accounts.py`)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vestibule.flows.env import Env
from vestibule.model.accounts import Account, Holder
from vestibule.model.events import Event, EventKind
from vestibule.model.revocations import Revocation
from vestibule.model.store import Ports


class Batch:
    """A batch of accounts, compared with `stored`: the accounts here that have one of their ids or emails, by email.

    `replacing`: accounts of the batch, by id, for each of which a stored one is deleted. `remaining`: the stored
    accounts that are not deleted, by email. `missing`: accounts of the batch that can be added. `added`: the ids of
    those that were.
    """

    def __init__(self, accounts: Sequence[Account], stored: Mapping[str, Holder]) -> None:
        self.stored = self.remaining = stored
        self.replacing: dict[str, Account] = {}
        # Repeat until nothing changes: a deleted stored account may have had the id of another account in the batch.
        while found := self._owners_of_unverified(accounts):
            self.replacing |= {account.id: account for account in found}
            deleted_ids = {stored[account.email].id for account in self.replacing.values()}
            self.remaining = {email: holder for email, holder in stored.items() if holder.id not in deleted_ids}
        self.missing = [a for a in accounts if a.id not in self.remaining_ids and a.email not in self.remaining]
        self.added: set[str] = set()
        self.revoked: list[Revocation] = []

    @property
    def remaining_ids(self) -> set[str]:
        """Return the ids of the stored accounts that are not deleted."""
        return {holder.id for holder in self.remaining.values()}

    @property
    def too_late(self) -> list[Account]:
        """Return the accounts that were missing, but could not be added: another transaction was quicker."""
        return [account for account in self.missing if account.id not in self.added]

    def _owners_of_unverified(self, accounts: Sequence[Account]) -> list[Account]:
        """Return the verified accounts that are not here, and whose email an unverified remaining account has."""
        ids = self.remaining_ids
        unverified = {email for email, holder in self.remaining.items() if not holder.verified}
        return [
            account
            for account in accounts
            if account.verified and account.id not in ids and account.email in unverified
        ]


async def lock_accounts_in_the_way(tx: Ports, batch: Batch) -> int:
    """Lock the accounts that are to be deleted, before any other step; return their number."""
    to_delete = sorted(batch.stored[account.email].id for account in batch.replacing.values())
    for account_id in to_delete:
        await tx.accounts.lock(account_id)
    return len(to_delete)


async def add_missing(env: Env, tx: Ports, accounts: Sequence[Account]) -> set[str]:
    """Add accounts as imported now, record an event, and return the ids of those that were added. An account that was
    disabled at the source counts as disabled from now on.
    """
    now = env.clock.now()
    disabled = {account.id: now for account in accounts if account.disabled_at is not None}
    added = await tx.accounts.add_missing(
        [replace(account, imported_at=now, disabled_at=disabled.get(account.id)) for account in accounts]
    )
    if added:
        await tx.events.record(Event(now, EventKind.IMPORTED, detail={"accounts": str(len(added))}))
    return added
