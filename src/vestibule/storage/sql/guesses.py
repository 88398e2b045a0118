"""`model.store.Guesses` in SQL: one guarded statement counts a guess before it is checked."""

from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, exists, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.guesses import Budget, GuessCount, GuessLimits
from vestibule.storage.sql.schema import Instant, accounts, guesses

_g = guesses.c


class SqlGuesses:
    """How many wrong passwords in a row."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, budget: Budget, limits: GuessLimits, now: datetime) -> int | None:
        counted = await self._connection.execute(
            insert(guesses)
            .values(budget=budget.key, account_id=budget.account_id, failures=1, last_at=now)
            .on_conflict_do_update(
                index_elements=[_g.budget],
                set_={"failures": _g.failures + 1, "last_at": now},
                where=(_g.failures < limits.at_most) & _waited(limits, now),
            )
            .returning(_g.failures)
        )
        failures: int | None = counted.scalar_one_or_none()
        return failures

    async def give_back(self, budget: Budget) -> None:
        await self._connection.execute(
            update(guesses).where(_g.budget == budget.key, _g.failures > 0).values(failures=_g.failures - 1)
        )

    async def count(self, budget: Budget) -> GuessCount | None:
        found = await self._connection.execute(select(_g.failures, _g.last_at).where(_g.budget == budget.key))
        row = found.one_or_none()
        return None if row is None else GuessCount(*row)

    async def forgive(self, budget: Budget) -> None:
        await self._connection.execute(delete(guesses).where(_g.budget == budget.key))

    async def forgive_all(self, account_id: str) -> None:
        await self._connection.execute(delete(guesses).where(_g.account_id == account_id))

    async def forget(self, before: datetime) -> int:
        of_an_account = exists().where(accounts.c.id == _g.account_id)
        forgotten = await self._connection.execute(delete(guesses).where(_g.last_at < before, ~of_an_account))
        return int(forgotten.rowcount)


def _waited(limits: GuessLimits, now: datetime) -> ColumnElement[bool]:
    """Whether the wait after the last wrong password is over."""
    # The longest wait is the last branch, so that there are no more of them than doublings.
    waits = {n: limits.wait_after(n) for n in range(limits.free, limits.at_most)}
    growing = {n: literal(now - wait, Instant) for n, wait in waits.items() if wait < limits.longest_wait}
    longest = literal(now - limits.longest_wait, Instant)
    last_allowed = case(growing, value=_g.failures, else_=longest) if growing else longest
    return or_(_g.failures < limits.free, _g.last_at <= last_allowed)
