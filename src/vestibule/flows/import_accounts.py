"""Import accounts from elsewhere, with their ids and password hashes, so that nobody has to choose a new password.

The source yields verified rows before unverified ones, and older rows before newer ones. Of several rows with the same
canonical email, the first is imported. Accounts that are here already stay, except an unverified one whose email a
verified row has: that one is deleted.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vestibule.crypto.stored_hashes import kind_of_hash
from vestibule.flows.announce import announce
from vestibule.flows.env import Env
from vestibule.flows.import_batch import Batch, add_missing, lock_accounts_in_the_way
from vestibule.flows.remove_squatter import remove_squatter
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account, Accounts, Holder
from vestibule.model.errors import Fault
from vestibule.model.imports import ForeignRow, LeftOut, RowConverter


@dataclass
class ImportReport:
    """How many rows were imported, by kind of hash; were here already; were left out; or said admin and became users
    (`demoted`). `made_room` is how many accounts here were deleted to make room. An `ImportListener` is told of each
    row left out and each account deleted.
    """

    by_kind: Counter[str] = field(default_factory=Counter)
    made_room: int = 0
    already_there: int = 0
    left_out: int = 0
    demoted: int = 0

    @property
    def imported(self) -> int:
        """Return how many rows were imported."""
        return self.by_kind.total()


@dataclass(frozen=True)
class ImportListener:
    """Functions that are called while an import runs. `progress`: the number of rows in a batch. `left_out`: a row and
    the reason. `made_room`: the id of a deleted account, and of the imported one that has its email now.
    """

    progress: Callable[[int], None]
    left_out: Callable[[str, str], None]
    made_room: Callable[[str, str], None] = lambda *_: None


class FirstByEmail(Protocol):
    """Remembers which row came first with an email, over a whole import. Rows may be many, so it may use a disk."""

    def row_for(self, email: str, label: str) -> str:
        """Return the label of the row that came first with this email; `label` itself, if none came before."""


@dataclass(frozen=True)
class Source:
    """The rows to import, and what the import needs to turn them into accounts."""

    batches: AsyncIterator[Sequence[ForeignRow]]
    converter: RowConverter
    first_by_email: FirstByEmail


async def import_accounts(env: Env, source: Source, listener: ImportListener, *, dry: bool = False) -> ImportReport:
    """Add the accounts that are missing, and delete unverified ones whose email a verified row has; return a report.
    Nothing else changes, so that a second import does no harm. `dry`: only report what would be done.

    Each batch is a transaction of its own. Raises `StoreUnavailable`.
    """
    run = _Import(env, source.converter, source.first_by_email, listener, dry)
    async for rows in source.batches:
        await run.import_rows(rows)
        listener.progress(len(rows))
    return run.report


@dataclass(frozen=True)
class _Import:
    """One call of `import_accounts`. `labels`: what a report calls the rows of the current batch, by account id."""

    env: Env
    converter: RowConverter
    first_by_email: FirstByEmail
    listener: ImportListener
    dry: bool
    report: ImportReport = field(default_factory=ImportReport)
    labels: dict[str, str] = field(default_factory=dict)

    async def import_rows(self, rows: Sequence[ForeignRow]) -> None:
        """Import one batch."""
        self.labels.clear()
        converted: dict[str, Account] = {}
        for row in rows:
            account = self._account_of(row, converted)
            if account is not None:
                converted[account.id] = account
                self.labels[account.id] = row.label
        await self._add(list(converted.values()))

    def _account_of(self, row: ForeignRow, earlier: Mapping[str, Account]) -> Account | None:
        try:
            account = self.converter.account(row)
        except LeftOut as reason:
            self._leave_out(row.label, str(reason))
            return None
        if account.id in earlier:  # before the row claims its email, which another row may have
            self._leave_out(row.label, "a row before it has the same id")
            return None
        if (first := self.first_by_email.row_for(account.email, row.label)) != row.label:
            self._leave_out(row.label, f"its email is also that of {first}, which is verified, or older")
            return None
        self.report.demoted += self.converter.demoted(row)
        return account

    async def _add(self, accounts: Sequence[Account]) -> None:
        """Add accounts. If the database refuses them, add each half by itself, so that only bad rows are left out."""
        if not accounts:
            return None
        try:
            await self._add_whole(accounts)
        except Fault:
            raise
        except Exception:
            if len(accounts) == 1:
                return self._leave_out(self.labels[accounts[0].id], "the database does not take it")
            half = len(accounts) // 2
            await self._add(accounts[:half])
            await self._add(accounts[half:])

    async def _add_whole(self, accounts: Sequence[Account]) -> None:
        batch = await (self._preview(accounts) if self.dry else self._import_batch(accounts))
        await announce(self.env, batch.revoked)
        for account in accounts:
            if account.id in batch.remaining_ids:
                self.report.already_there += 1
            elif account.id in batch.replacing:
                self.report.made_room += 1
                self.listener.made_room(batch.stored[account.email].id, account.id)
            elif account.email in batch.remaining:
                stored_id = batch.remaining[account.email].id
                self._leave_out(self.labels[account.id], f"its email is that of {stored_id}, which is here already")
        for account in batch.too_late:
            self._leave_out(self.labels[account.id], "somebody took its id or its email meanwhile; import it again")
        added = [account for account in accounts if account.id in batch.added]
        self.report.by_kind.update(kind_of_hash(account.password_hash) for account in added)

    async def _preview(self, accounts: Sequence[Account]) -> Batch:
        async with self.env.store.reading() as read:
            batch = await self._compare_with_stored(read.accounts, accounts)
        batch.added = {account.id for account in batch.missing}
        return batch

    async def _compare_with_stored(self, stored: Accounts, accounts: Sequence[Account]) -> Batch:
        kept = await stored.kept([account.email for account in accounts], self.env.clock.now())
        keepers = {email: Holder(account_id, verified=True) for email, account_id in kept.items()}
        return Batch(accounts, keepers | dict(await stored.holders(accounts)))

    @retry_on_conflict
    async def _import_batch(self, accounts: Sequence[Account]) -> Batch:
        async with self.env.store.transaction() as tx:
            batch = await self._compare_with_stored(tx.accounts, accounts)
            if await lock_accounts_in_the_way(tx, batch):  # the accounts may have changed before they were locked
                batch = await self._compare_with_stored(tx.accounts, accounts)
            for account in batch.replacing.values():
                batch.revoked += await remove_squatter(self.env, tx, account.email, account.id, self.env.clock.now())
            batch.added = await add_missing(self.env, tx, batch.missing)
            for account in batch.replacing.values():
                # Strangers may have used up the email's login attempts before its owner was here.
                await tx.login_attempts.reset_all(account.id, account.email)
        return batch

    def _leave_out(self, label: str, reason: str) -> None:
        self.report.left_out += 1
        self.listener.left_out(label, reason)
