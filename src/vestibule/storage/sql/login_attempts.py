"""`model.login_attempts.LoginAttempts` in SQL: one guarded statement counts an attempt before it is checked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, exists, false, func, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from vestibule.model.clock import MOST_APART
from vestibule.model.factor_attempts import MAILED, SECOND
from vestibule.model.login_attempts import AttemptCount, AttemptCounter, LoginAttemptLimits, others_key
from vestibule.storage.sql.batches import deletion_of_oldest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, login_attempts

_a = login_attempts.c
_NOW = bindparam("now", type_=Instant)
# The names of parameters; `_moments` gives each its value.
_LONGEST_WAIT_AGO = "longest_wait_ago"
_RESTART_TIME_AGO = "restart_time_ago"
_LATEST_POSSIBLE = "latest_possible"
_MINE = _a.counter == bindparam("of_counter")
# `failures` makes the next attempt wait, and restarts with the waits; `in_all` is the total in a row, which is limited.
_TOTAL = func.coalesce(_a.in_all, _a.failures)
_COUNT = Prepared(select(_a.failures, _a.last_at, _TOTAL).where(_MINE))
_RESET = Prepared(delete(login_attempts).where(_a.counter.in_(bindparam("of_counters", expanding=True))))
_OF_NO_ACCOUNT = ~exists().where(accounts.c.id == _a.account_id)
_PURGE = deletion_of_oldest(
    login_attempts, and_(_a.last_at < bindparam("before", type_=Instant), _OF_NO_ACCOUNT), _a.last_at
)
_OF_ACCOUNT = _a.account_id == bindparam("of_account", type_=_a.account_id.type)
_OF_SECOND_FACTOR = _a.counter.startswith(SECOND)
_RESET_ALL = Prepared(
    delete(login_attempts).where(
        or_(and_(_OF_ACCOUNT, not_(_OF_SECOND_FACTOR)), _a.counter.in_((bindparam("of_email"), bindparam("of_mailed"))))
    )
)
_RESET_SECOND_FACTOR = Prepared(delete(login_attempts).where(_OF_ACCOUNT, _OF_SECOND_FACTOR))


class SqlLoginAttempts:
    """Implements `LoginAttempts`: consecutive wrong passwords per counter."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def take(self, counter: AttemptCounter, limits: LoginAttemptLimits, now: datetime) -> int | None:
        mine = {"of_counter": counter.key, "of_account": counter.account_id, "now": now}
        counted = await self._connection.execute(_take(limits), mine | _moments(limits, now))
        number: int | None = counted.scalar_one_or_none()
        return number

    async def give_back(self, counter: AttemptCounter, limits: LoginAttemptLimits, at: datetime) -> None:
        mine = {"of_counter": counter.key, "counted_at": at}
        await self._connection.execute(_give_back(limits), mine | _moments_of_waits(limits, at))

    async def count(self, counter: AttemptCounter) -> AttemptCount | None:
        found = await self._connection.execute(_COUNT, {"of_counter": counter.key})
        row = found.one_or_none()
        return None if row is None else AttemptCount(*row)

    async def reset(self, keys: Sequence[str]) -> None:
        await self._connection.execute(_RESET, {"of_counters": list(keys)})

    async def reset_all(self, account_id: str, email: str) -> int:
        # The email's counters too: attempts from before the account existed do not name the account.
        of_email = others_key(email)
        which = {"of_account": account_id, "of_email": of_email, "of_mailed": MAILED + of_email}
        return (await self._connection.execute(_RESET_ALL, which)).rowcount

    async def reset_second_factor(self, account_id: str) -> int:
        return (await self._connection.execute(_RESET_SECOND_FACTOR, {"of_account": account_id})).rowcount

    async def purge(self, before: datetime, most: int) -> int:
        return (await self._connection.execute(_PURGE, {"before": before, "most": most})).rowcount


@cache
def _take(limits: LoginAttemptLimits) -> Prepared:
    """Return the statement for these limits. It is cached, because building it costs more than running it."""
    first = {"failures": 1, "in_all": 1, "last_at": _NOW}
    restarts = _a.last_at < bindparam(_RESTART_TIME_AGO, type_=Instant) if limits.waits_restart_after else false()
    return Prepared(
        insert(login_attempts)
        .values(counter=bindparam("of_counter"), account_id=bindparam("of_account", type_=_a.account_id.type), **first)
        .on_conflict_do_update(
            index_elements=[_a.counter],
            set_={
                "account_id": bindparam("of_account", type_=_a.account_id.type),
                "failures": case((restarts, 1), else_=_a.failures + 1),
                "in_all": case((restarts, 1), else_=_TOTAL + 1) if limits.total_restarts else _TOTAL + 1,
                "last_at": _NOW,
            },
            where=or_(restarts, and_(_a.failures < limits.at_most, _waited(limits))),
        )
        .returning(_a.in_all)
    )


@cache
def _give_back(limits: LoginAttemptLimits) -> Prepared:
    """Return the statement that takes an attempt back. `last_at` becomes the latest time that would have allowed it,
    unless another attempt was counted since.
    """
    before, counted_at = _a.failures - 1, bindparam("counted_at", type_=Instant)
    waited = and_(_a.last_at == counted_at, before >= limits.free)
    return Prepared(
        update(login_attempts)
        .where(_MINE, _a.failures > 0)
        .values(
            failures=before,
            in_all=_TOTAL - 1,
            last_at=case((waited, _last_allowed(limits, before)), else_=_a.last_at),
        )
    )


def _waited(limits: LoginAttemptLimits) -> ColumnElement[bool]:
    """Return the condition that the wait after the last wrong password is over."""
    last_allowed = _last_allowed(limits, _a.failures)
    # A time so far in the future was written by a wrong clock. Nobody must wait until then.
    ahead = _a.last_at > bindparam(_LATEST_POSSIBLE, type_=Instant)
    return or_(_a.failures < limits.free, _a.last_at <= last_allowed, ahead)


def _last_allowed(limits: LoginAttemptLimits, failures: ColumnElement[int]) -> ColumnElement[datetime]:
    """Return the latest `last_at` that allows another attempt now, after `failures`, of which there are at least
    `limits.free`.
    """
    growing = {number: bindparam(_wait_ago(number), type_=Instant) for number in _growing_waits(limits)}
    longest = bindparam(_LONGEST_WAIT_AGO, type_=Instant)
    return case(growing, value=failures, else_=longest) if growing else longest


def _moments(limits: LoginAttemptLimits, now: datetime) -> dict[str, datetime]:
    """Return the moments that `_take` and `_waited` compare `last_at` with, by parameter name."""
    moments = _moments_of_waits(limits, now) | {_LATEST_POSSIBLE: now + 2 * MOST_APART}
    restart = limits.waits_restart_after
    return moments if restart is None else moments | {_RESTART_TIME_AGO: now - restart}


def _moments_of_waits(limits: LoginAttemptLimits, now: datetime) -> dict[str, datetime]:
    """Return the moments of `_last_allowed`, by parameter name."""
    moments = {_wait_ago(failures): now - wait for failures, wait in _growing_waits(limits).items()}
    return moments | {_LONGEST_WAIT_AGO: now - limits.longest_wait}


@cache
def _growing_waits(limits: LoginAttemptLimits) -> dict[int, timedelta]:
    """Return the waits that are shorter than the longest, by number of failures. Each is a WHEN branch of
    `_last_allowed`; the longest is its ELSE.
    """
    waits = {failures: limits.wait_after(failures) for failures in range(limits.free, limits.at_most)}
    return {failures: wait for failures, wait in waits.items() if wait < limits.longest_wait}


def _wait_ago(failures: int) -> str:
    return f"wait_ago_after_{failures}"
