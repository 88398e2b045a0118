"""`model.factor_resets.FactorResets` in SQL: to delete the row is to cancel the reset, or to carry it out."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, not_, select, update
from sqlalchemy.dialects.postgresql import insert

from vestibule.model.factor_resets import AskedBy, FactorReset
from vestibule.model.letters import LetterKind
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.letter_statements import WAITING
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import factor_resets, letters

_r = factor_resets.c
_COLUMNS = [_r[field.name] for field in fields(FactorReset)]
_READER = odd_rows.Reader(_COLUMNS)
_ACCOUNT = _r.account_id == bindparam("of_account", type_=_r.account_id.type)
_DUE = _r.due_at <= bindparam("now", type_=Instant)
_ASKED_BY = _r.asked_by == bindparam("of_asked_by", type_=_r.asked_by.type)
_BEGIN = Prepared(insert(factor_resets).on_conflict_do_nothing().returning(_r.account_id))
_OF = Prepared(select(*_COLUMNS).where(_ACCOUNT))
_CANCEL = Prepared(delete(factor_resets).where(_ACCOUNT).returning(_r.account_id))
_CANCEL_ASKED_BY = Prepared(delete(factor_resets).where(_ACCOUNT, _ASKED_BY).returning(_r.account_id))
# True once the mail server took the letter that announces the reset, or refused it for good.
_TOLD = not_(
    exists().where(
        letters.c.account_id == _r.account_id, letters.c.kind == LetterKind.FACTOR_RESET_BEGUN.value, WAITING
    )
)
_FINISH = Prepared(delete(factor_resets).where(_ACCOUNT, _DUE, _TOLD).returning(_r.account_id))
_BEGIN_ANEW = Prepared(
    update(factor_resets)
    .where(_ACCOUNT)
    .values(asked_at=bindparam("new_asked_at", type_=Instant), due_at=bindparam("new_due_at", type_=Instant))
)
_ALL_DUE = Prepared(select(_r.account_id).where(_DUE, _TOLD).order_by(_r.due_at).limit(bindparam("most")))


class SqlFactorResets:
    """Implements `FactorResets`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def begin(self, reset: FactorReset) -> bool:
        return await self._changes(_BEGIN, {**asdict(reset), "asked_by": reset.asked_by.value})

    async def of(self, account_id: str) -> FactorReset | None:
        row = (await self._connection.execute(_OF, {"of_account": account_id})).one_or_none()
        return None if row is None else _from_row(row)

    async def cancel(self, account_id: str, asked_by: AskedBy | None = None) -> bool:
        if asked_by is None:
            return await self._changes(_CANCEL, {"of_account": account_id})
        return await self._changes(_CANCEL_ASKED_BY, {"of_account": account_id, "of_asked_by": asked_by.value})

    async def finish(self, account_id: str, now: datetime) -> bool:
        return await self._changes(_FINISH, {"of_account": account_id, "now": now})

    async def begin_anew(self, reset: FactorReset) -> None:
        moments = {"new_asked_at": reset.asked_at, "new_due_at": reset.due_at}
        await self._connection.execute(_BEGIN_ANEW, {"of_account": reset.account_id, **moments})

    async def due(self, now: datetime, most: int) -> list[str]:
        return [row.account_id for row in await self._connection.execute(_ALL_DUE, {"now": now, "most": most})]

    async def _changes(self, statement: Prepared, values: dict[str, object]) -> bool:
        """Run a statement that returns a row for the reset that it changed; return whether there was one."""
        return (await self._connection.execute(statement, values)).one_or_none() is not None


def _from_row(row: Sequence[Any]) -> FactorReset | None:
    """Return the reset; None, and a log line, if the row is malformed."""
    try:
        values = _READER.read(row)
        asked_by = odd_rows.read_enum(AskedBy, values["asked_by"], "asked_by")
    except OddRow as why:
        odd_rows.log_skipped(factor_resets.name, row[0], why)
        return None
    return FactorReset(**{**values, "asked_by": asked_by})
