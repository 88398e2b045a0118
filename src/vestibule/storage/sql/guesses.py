"""`model.store.Guesses` in SQL: one guarded statement counts a guess before it is checked."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from vestibule.model.guesses import Budget, GuessCount, GuessLimits
from vestibule.storage.sql.schema import Instant, accounts, guesses

_g = guesses.c
_NOW = bindparam("now", type_=Instant)
_LONGEST = "after_more"
_MINE = _g.budget == bindparam("of_budget")
_GIVE_BACK = update(guesses).where(_MINE, _g.failures > 0).values(failures=_g.failures - 1)
_COUNT = select(_g.failures, _g.last_at).where(_MINE)
_FORGIVE = delete(guesses).where(_MINE)


class SqlGuesses:
    """How many wrong passwords in a row."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, budget: Budget, limits: GuessLimits, now: datetime) -> int | None:
        mine = {"of_budget": budget.key, "of_account": budget.account_id, "now": now}
        counted = await self._connection.execute(_take(limits), mine | _waits_ago(limits, now))
        failures: int | None = counted.scalar_one_or_none()
        return failures

    async def give_back(self, budget: Budget) -> None:
        await self._connection.execute(_GIVE_BACK, {"of_budget": budget.key})

    async def count(self, budget: Budget) -> GuessCount | None:
        found = await self._connection.execute(_COUNT, {"of_budget": budget.key})
        row = found.one_or_none()
        return None if row is None else GuessCount(*row)

    async def forgive(self, budget: Budget) -> None:
        await self._connection.execute(_FORGIVE, {"of_budget": budget.key})

    async def forgive_all(self, account_id: str) -> None:
        await self._connection.execute(delete(guesses).where(_g.account_id == account_id))

    async def forget(self, before: datetime) -> int:
        of_an_account = exists().where(accounts.c.id == _g.account_id)
        forgotten = await self._connection.execute(delete(guesses).where(_g.last_at < before, ~of_an_account))
        return int(forgotten.rowcount)


@cache
def _take(limits: GuessLimits) -> ReturningInsert[Any]:
    """Ready-made for the process's limits, since putting it together costs more than running it."""
    return (
        insert(guesses)
        .values(budget=bindparam("of_budget"), account_id=bindparam("of_account"), failures=1, last_at=_NOW)
        .on_conflict_do_update(
            index_elements=[_g.budget],
            set_={"failures": _g.failures + 1, "last_at": _NOW},
            where=and_(_g.failures < limits.at_most, _waited(limits)),
        )
        .returning(_g.failures)
    )


def _waited(limits: GuessLimits) -> ColumnElement[bool]:
    """Whether the wait after the last wrong password is over."""
    growing = {failures: bindparam(_moment(failures), type_=Instant) for failures in _growing(limits)}
    longest = bindparam(_LONGEST, type_=Instant)
    last_allowed = case(growing, value=_g.failures, else_=longest) if growing else longest
    return or_(_g.failures < limits.free, _g.last_at <= last_allowed)


def _waits_ago(limits: GuessLimits, now: datetime) -> dict[str, datetime]:
    """The moments that it compares with."""
    growing = {_moment(failures): now - wait for failures, wait in _growing(limits).items()}
    return growing | {_LONGEST: now - limits.longest_wait}


@cache
def _growing(limits: GuessLimits) -> dict[int, timedelta]:
    """The waits by failures, but for the longest: that is the last branch, so that there are no more than doublings."""
    waits = {failures: limits.wait_after(failures) for failures in range(limits.free, limits.at_most)}
    return {failures: wait for failures, wait in waits.items() if wait < limits.longest_wait}


def _moment(failures: int) -> str:
    return f"after_{failures}"
