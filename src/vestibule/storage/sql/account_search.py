"""`model.account_search.AccountSearch` in SQL: each page continues after the last row of the page before (keyset)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, tuple_

from vestibule.model.account_search import Batch, Key
from vestibule.model.accounts import Account
from vestibule.storage.sql.account_rows import COLUMNS, from_row
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, is_unverified
from vestibule.storage.sql.text_order import HIGHEST, bytewise, caseless

_a = accounts.c
_email, _name = bytewise(_a.email), caseless(_a.name)
_first = bindparam("first", type_=_a.name.type)
_beyond = bindparam("beyond", type_=_a.name.type)
_after = bindparam("after", type_=_a.name.type)
_after_id = bindparam("after_id", type_=_a.id.type)
_most = bindparam("most", type_=_a.epoch.type)
# An email is unique, so it needs no id beside it.
BY_EMAIL = Prepared(
    select(*COLUMNS)
    .where(_email >= bytewise(_first), _email < bytewise(_beyond), _email > bytewise(_after))
    .order_by(_email)
    .limit(_most)
)
# One lower bound only: given two, PostgreSQL would start reading at the pair, even where that is the index's beginning.
BY_NAME = Prepared(
    select(*COLUMNS)
    .where(
        _name < caseless(_beyond),
        tuple_(_name, _a.id) > tuple_(caseless(_after), _after_id),
    )
    .order_by(_name, _a.id)
    .limit(_most)
)
UNVERIFIED_SINCE = Prepared(
    select(*COLUMNS)
    .where(is_unverified, _a.created_at >= bindparam("since", type_=Instant))
    .order_by(_a.created_at.desc())
    .limit(_most)
)

EMAILS_OF = Prepared(select(_a.id, _a.email).where(_a.id.in_(bindparam("ids", expanding=True))))
_IDS_AT_ONCE = 500


class SqlAccountSearch:
    """Implements `AccountSearch`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def by_email(self, prefix: str, after: Key | None, most: int) -> Batch:
        rows = await self._connection.execute(BY_EMAIL, email_page(prefix, after, most))
        return _batch(rows.all(), most, "email")

    async def by_name(self, prefix: str, after: Key | None, most: int) -> Batch:
        rows = await self._connection.execute(BY_NAME, name_page(prefix, after, most))
        return _batch(rows.all(), most, "name")

    async def unverified_since(self, since: datetime, most: int) -> Sequence[Account]:
        rows = await self._connection.execute(UNVERIFIED_SINCE, {"since": since, "most": most})
        return [account for row in rows if (account := from_row(row)) is not None]

    async def emails_of(self, account_ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for first in range(0, len(account_ids), _IDS_AT_ONCE):
            which = {"ids": list(account_ids[first : first + _IDS_AT_ONCE])}
            found |= {row.id: str(row.email) for row in await self._connection.execute(EMAILS_OF, which)}
        return found


def email_page(prefix: str, after: Key | None, most: int) -> dict[str, Any]:
    """Return the parameters of `BY_EMAIL`."""
    return {"first": prefix, "beyond": prefix + HIGHEST, "after": after[0] if after else "", "most": most}


def name_page(prefix: str, after: Key | None, most: int) -> dict[str, Any]:
    """Return the parameters of `BY_NAME`. The first page begins after the prefix with an empty id, which nobody has."""
    name, account_id = after or (prefix, "")
    return {"beyond": prefix + HIGHEST, "after": name, "after_id": account_id, "most": most}


def _batch(rows: Sequence[Any], most: int, ordered_by: str) -> Batch:
    """Return the accounts of the rows, and the last row's key if more may follow. That row counts even if malformed."""
    end = (str(getattr(rows[-1], ordered_by)), str(rows[-1].id)) if len(rows) == most else None
    return Batch([account for row in rows if (account := from_row(row)) is not None], end)
