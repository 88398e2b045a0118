"""`model.factors.Factors` in SQL: read what an account has, in one statement, and delete it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, exists, func, or_, select

from vestibule.model.factors import AccountFactors, FactorKind
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import factor_resets, passkeys, recovery_codes, totps

_ACCOUNT = bindparam("of_account", type_=totps.c.account_id.type)
_SINCE = bindparam("since", type_=Instant)
_TOTPS = totps.c.account_id == _ACCOUNT
_PASSKEYS = passkeys.c.account_id == _ACCOUNT
_CODES = recovery_codes.c.account_id == _ACCOUNT
_RESET = factor_resets.c.account_id == _ACCOUNT
_OF = Prepared(
    select(
        exists().where(_TOTPS, totps.c.confirmed_at.is_not(None)).label("totp"),
        select(func.count()).select_from(passkeys).where(_PASSKEYS).scalar_subquery().label("passkeys"),
        select(func.count())
        .select_from(recovery_codes)
        .where(_CODES, recovery_codes.c.used_at.is_(None))
        .scalar_subquery()
        .label("codes"),
        select(factor_resets.c.due_at).where(_RESET).scalar_subquery().label("reset_due_at"),
    )
)
# An app was added when it was confirmed. One that was not confirmed is deleted in any case.
_ADDED_SINCE = or_(totps.c.confirmed_at.is_(None), totps.c.confirmed_at >= _SINCE)
_CLEAR = (
    Prepared(delete(totps).where(_TOTPS).returning(totps.c.confirmed_at)),
    Prepared(delete(passkeys).where(_PASSKEYS).returning(passkeys.c.id)),
    Prepared(delete(recovery_codes).where(_CODES)),
)
_CLEAR_SINCE = (
    Prepared(delete(totps).where(_TOTPS, _ADDED_SINCE).returning(totps.c.confirmed_at)),
    Prepared(delete(passkeys).where(_PASSKEYS, passkeys.c.created_at >= _SINCE).returning(passkeys.c.id)),
    Prepared(delete(recovery_codes).where(_CODES, recovery_codes.c.created_at >= _SINCE)),
)


class SqlFactors:
    """Implements `Factors`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def of(self, account_id: str) -> AccountFactors:
        row = (await self._connection.execute(_OF, {"of_account": account_id})).one()
        return AccountFactors(bool(row.totp), row.passkeys, row.codes, row.reset_due_at)

    async def clear(self, account_id: str, since: datetime | None = None) -> Sequence[FactorKind]:
        which = {"of_account": account_id} if since is None else {"of_account": account_id, "since": since}
        apps, keys, codes = _CLEAR if since is None else _CLEAR_SINCE
        confirmed = [row for row in await self._connection.execute(apps, which) if row.confirmed_at is not None]
        deleted = (await self._connection.execute(keys, which)).all()
        any_codes = (await self._connection.execute(codes, which)).rowcount > 0
        kinds = ((FactorKind.TOTP, len(confirmed)), (FactorKind.PASSKEY, len(deleted)))
        return [kind for kind, number in (*kinds, (FactorKind.RECOVERY_CODE, any_codes)) for _ in range(number)]
