"""Import accounts from elsewhere, with their ids and password hashes, so that nobody chooses a new password.

Every row is judged by itself. Rows come in the order of who has a better claim to an email: verified before
unverified, then the older; so of two that have the same one, written in different ways, the first is imported. What is
here already stays, but an account that nobody verified makes room for a verified one that has its email.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from vestibule.flows.end_sessions import announce
from vestibule.flows.env import Env
from vestibule.flows.remove_squatter import remove_squatter
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account, Accounts, Holder
from vestibule.model.errors import Fault
from vestibule.model.events import Event, EventKind
from vestibule.model.imports import ForeignRow, Judge, LeftOut
from vestibule.model.revocations import Revocation
from vestibule.model.store import Transaction


@dataclass
class ImportReport:
    """What became of the rows that were read, and how many were here and made room. What was left out and what made
    room was told one by one.
    """

    imported: int = 0
    made_room: int = 0
    already_there: int = 0
    left_out: int = 0
    demoted: int = 0


@dataclass(frozen=True)
class Listener:
    """What is told of an import while it runs: how many rows a batch held, which row was left out, and why; and the id
    of an account that made room, and for whose.
    """

    progress: Callable[[int], None]
    left_out: Callable[[str, str], None]
    made_room: Callable[[str, str], None] = lambda *_: None


class Claims(Protocol):
    """Who came first with an email, over a whole import. It may be kept on a disk: rows are many."""

    def first(self, email: str, account_id: str) -> str:
        """Return the id that came first with this email: this one, if none did."""


@dataclass(frozen=True)
class Source:
    """What to import, judged by whom, and who is first."""

    batches: AsyncIterator[Sequence[ForeignRow]]
    judge: Judge
    claims: Claims


async def import_accounts(env: Env, source: Source, listener: Listener, *, dry: bool = False) -> ImportReport:
    """Add what is missing, and touch nothing that is there except unverified accounts in the way of verified ones;
    return a report. Doing it twice does no harm. `dry`: only look.

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
        judged: dict[str, Account] = {}
        for row in rows:
            account = self._judged(row, judged)
            if account is not None:
                judged[account.id] = account
        await self._add(list(judged.values()))

    def _judged(self, row: ForeignRow, before: Mapping[str, Account]) -> Account | None:
        try:
            account = self.judge.account(row)
        except LeftOut as reason:
            self._leave_out(row.known_by, str(reason))
            return None
        if account.id in before:  # its email is not claimed: another row may have it
            self._leave_out(account.id, "a row before it has the same id")
            return None
        if (first := self.claims.first(account.email, account.id)) != account.id:
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

    async def _add_whole(self, accounts: Sequence[Account]) -> None:
        batch = await (self._looked_at(accounts) if self.dry else self._taken_in(accounts))
        await announce(self.env, batch.revoked)
        for account in accounts:
            if account.id in batch.ids:
                self.report.already_there += 1
            elif account.id in batch.making_room:
                self.report.made_room += 1
                self.listener.made_room(batch.held[account.email].id, account.id)
            elif account.email in batch.staying:
                there = batch.staying[account.email].id
                self._leave_out(account.id, f"its email is that of {there}, which is here already")
        for account in batch.too_late:
            self._leave_out(account.id, "somebody else took its id or its email meanwhile; import it again")
        self.report.imported += len(batch.added)

    async def _looked_at(self, accounts: Sequence[Account]) -> "_Batch":
        async with self.env.store.reading() as read:
            batch = await self._beside(read.accounts, accounts)
        batch.added = {account.id for account in batch.missing}
        return batch

    async def _beside(self, there: Accounts, accounts: Sequence[Account]) -> "_Batch":
        kept = await there.kept([account.email for account in accounts], self.env.clock.now())
        may_return = {email: Holder(account_id, verified=True) for email, account_id in kept.items()}
        return _Batch(accounts, may_return | dict(await there.holders(accounts)))

    @retry_on_conflict
    async def _taken_in(self, accounts: Sequence[Account]) -> "_Batch":
        async with self.env.store.transaction() as tx:
            batch = await self._beside(tx.accounts, accounts)
            if await _locked(tx, batch):  # what was read before may have changed
                batch = await self._beside(tx.accounts, accounts)
            for account in batch.making_room.values():
                batch.revoked += await remove_squatter(self.env, tx, account.email, account.id, self.env.clock.now())
            batch.added = await _add_missing(self.env, tx, batch.missing)
            for account in batch.making_room.values():
                # Strangers may have spent the counter of an email before its owner was here.
                await tx.login_attempts.forgive_all(account.id, account.email)
        return batch

    def _leave_out(self, known_by: str, reason: str) -> None:
        self.report.left_out += 1
        self.listener.left_out(known_by, reason)


class _Batch:
    """Some accounts, beside those here that have their ids or emails. `making_room`: for which ones somebody goes."""

    def __init__(self, accounts: Sequence[Account], held: Mapping[str, Holder]) -> None:
        self.held = self.staying = held
        self.making_room: dict[str, Account] = {}
        while len(self.making_room) < len(room := self._room(accounts)):  # who goes may be who came with another email
            self.making_room = room
            gone = {held[account.email].id for account in room.values()}
            self.staying = {email: holder for email, holder in held.items() if holder.id not in gone}
        self.ids = {holder.id for holder in self.staying.values()}
        self.missing = [a for a in accounts if a.id not in self.ids and a.email not in self.staying]
        self.added: set[str] = set()
        self.revoked: list[Revocation] = []

    @property
    def too_late(self) -> list[Account]:
        """Return the accounts that were missing, and were not added all the same."""
        return [account for account in self.missing if account.id not in self.added]

    def _room(self, accounts: Sequence[Account]) -> dict[str, Account]:
        ids = {holder.id for holder in self.staying.values()}
        new = [a for a in accounts if a.verified and a.id not in ids and a.email in self.staying]
        return self.making_room | {a.id: a for a in new if not self.staying[a.email].verified}


async def _locked(tx: Transaction, batch: _Batch) -> int:
    """Lock the accounts that are to make room, all of them before anything else; return their number."""
    those = sorted(batch.held[account.email].id for account in batch.making_room.values())
    for account_id in those:
        await tx.accounts.lock(account_id)
    return len(those)


async def _add_missing(env: Env, tx: Transaction, accounts: Sequence[Account]) -> set[str]:
    now = env.clock.now()
    added = await tx.accounts.add_missing([replace(account, imported_at=now) for account in accounts])
    if added:
        await tx.events.record(Event(now, EventKind.IMPORTED, detail={"accounts": str(len(added))}))
    return added
