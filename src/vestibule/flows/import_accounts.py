"""Import accounts from elsewhere, with their ids and password hashes, so that nobody chooses a new password.

Every row is judged by itself. Rows come in the order of who has a better claim to an email: verified before
unverified, then the older; so of two that have the same one, written in different ways, the first is imported.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.errors import Fault
from vestibule.model.events import Event, EventKind
from vestibule.model.imports import ForeignRow, Judge, LeftOut
from vestibule.model.store import Transaction


@dataclass
class ImportReport:
    """What became of the rows that were read. Of those left out, how many; each was told by itself."""

    imported: int = 0
    already_there: int = 0
    left_out: int = 0
    demoted: int = 0


@dataclass(frozen=True)
class Listener:
    """What is told of an import while it runs: how many rows a batch held, and which row was left out, and why."""

    progress: Callable[[int], None]
    left_out: Callable[[str, str], None]


class Claims(Protocol):
    """Who came first with an email, over a whole import. It may be kept on a disk: rows are many."""

    def first(self, address: str, account_id: str) -> str:
        """The id that came first with this address: this one, if none did."""


@dataclass(frozen=True)
class Source:
    """What to import, judged by whom, and who is first."""

    batches: AsyncIterator[Sequence[ForeignRow]]
    judge: Judge
    claims: Claims


async def import_accounts(env: Env, source: Source, listener: Listener, *, dry: bool = False) -> ImportReport:
    """Add what is missing, touch nothing that is there: doing it twice does no harm. `dry`: only look.

    Each batch is a transaction of its own. Raises `StoreUnavailable`.
    """
    run = _Import(env, source.judge, source.claims, listener, dry)
    async for rows in source.batches:
        await run.take(rows)
        listener.progress(len(rows))
    return run.report


@dataclass(frozen=True)
class _Import:
    env: Env
    judge: Judge
    claims: Claims
    listener: Listener
    dry: bool
    report: ImportReport = field(default_factory=ImportReport)

    async def take(self, rows: Sequence[ForeignRow]) -> None:
        """Import one batch."""
        await self._add([account for row in rows if (account := self._judged(row)) is not None])

    def _judged(self, row: ForeignRow) -> Account | None:
        try:
            account = self.judge.account(row)
        except LeftOut as reason:
            self._leave_out(row.known_by, str(reason))
            return None
        if (first := self.claims.first(account.address, account.id)) != account.id:
            self._leave_out(account.id, f"its email is also that of {first}, which is verified, or older")
            return None
        self.report.demoted += self.judge.demoted(row)
        return account

    async def _add(self, accounts: Sequence[Account]) -> None:
        """Add a batch; where the database refuses it, each half by itself, and so in the end all but the odd row."""
        if not accounts:
            return None
        try:
            await self._add_whole(accounts)
        except Fault:
            raise
        except Exception:
            if len(accounts) == 1:
                return self._leave_out(accounts[0].id, "the database does not take it")
            half = len(accounts) // 2
            await self._add(accounts[:half])
            await self._add(accounts[half:])

    @retry_on_conflict
    async def _add_whole(self, accounts: Sequence[Account]) -> None:
        async with self.env.store.reading() if self.dry else self.env.store.transaction() as tx:
            held = await tx.accounts.holders(accounts)
            missing = [a for a in accounts if a.id not in held.values() and a.address not in held]
            added = len(missing) if self.dry else await _add_missing(self.env, tx, missing)
        for account in accounts:
            if account.id in held.values():
                self.report.already_there += 1
            elif account.address in held:
                self._leave_out(account.id, f"its email is that of {held[account.address]}, which is here already")
        self.report.imported += added

    def _leave_out(self, known_by: str, reason: str) -> None:
        self.report.left_out += 1
        self.listener.left_out(known_by, reason)


async def _add_missing(env: Env, tx: Transaction, accounts: Sequence[Account]) -> int:
    added = await tx.accounts.add_missing(accounts)
    if added:
        await tx.events.record(Event(env.clock.now(), EventKind.IMPORTED, detail={"accounts": str(added)}))
    return added
