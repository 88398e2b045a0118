"""`model.signing_keys.SigningKeys` in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from vestibule.model.signing_keys import KeyState, KeyStates, KeyStatus, KeyUse, SealedKey
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import signing_keys

_k = signing_keys.c
_READER = odd_rows.Reader(tuple(signing_keys.c))
_NOT_GONE = [state.value for state in KeyState if state is not KeyState.GONE]
# Leaves out states and uses that a newer version has written, as `all` does.
_STATES = Prepared(
    select(_k.kid, _k.use, _k.state).where(_k.state.in_(_NOT_GONE), _k.use.in_([use.value for use in KeyUse]))
)

_ALL = Prepared(select(signing_keys).order_by(_k.created_at.desc(), _k.kid))
_WITHDRAW_SPENT = Prepared(
    update(signing_keys)
    .where(_k.state == KeyState.RETIRED.value, _k.checks_until <= bindparam("now", type_=Instant))
    .values(state=KeyState.GONE.value, state_since=bindparam("now", type_=Instant), sealed_private="")
)


class SqlSigningKeys:
    """Implements `SigningKeys`: encrypted signing keys. Unique indexes allow each use one current and one next key."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def all(self) -> list[SealedKey]:
        rows = await self._connection.execute(_ALL)
        return [key for row in rows if (key := _from_row(row)) is not None]

    async def states(self) -> KeyStates:
        rows = await self._connection.execute(_STATES)
        return frozenset(KeyStatus(kid, KeyUse(use), KeyState(state)) for kid, use, state in rows)

    # The methods below run a few times a year, so their statements are not prepared.
    async def add(self, key: SealedKey) -> bool:
        added = await self._connection.execute(
            insert(signing_keys)
            .values(
                kid=key.kid,
                use=key.use.value,
                state=key.state.value,
                alg=key.alg,
                sealed_private=key.sealed_private,
                created_at=key.created_at,
                state_since=key.state_since,
            )
            .on_conflict_do_nothing()
        )
        return bool(added.rowcount)

    async def advance(self, use: KeyUse, created_until: datetime, now: datetime, checks_until: datetime) -> str | None:
        next_key = (_k.use == use.value) & (_k.state == KeyState.NEXT.value)
        # Of concurrent processes, one locks the row. The others wait here, then find no next key that is old enough.
        chosen = update(signing_keys).where(next_key, _k.created_at <= created_until).values(state_since=now)
        kid: str | None = (await self._connection.execute(chosen.returning(_k.kid))).scalar_one_or_none()
        if kid is None:
            return None
        current = (_k.use == use.value) & (_k.state == KeyState.CURRENT.value)
        retired = {"state": KeyState.RETIRED.value, "state_since": now, "checks_until": checks_until}
        await self._connection.execute(update(signing_keys).where(current).values(retired))
        await self._connection.execute(update(signing_keys).where(_k.kid == kid).values(state=KeyState.CURRENT.value))
        return kid

    async def withdraw(self, kid: str, now: datetime, *, early: bool) -> bool:
        spent = (_k.state == KeyState.RETIRED.value) & (_k.checks_until <= now)
        may_go = _k.state.in_([KeyState.RETIRED.value, KeyState.NEXT.value]) if early else spent
        gone = await self._connection.execute(update(signing_keys).where(_k.kid == kid, may_go).values(_gone(now)))
        return bool(gone.rowcount)

    async def withdraw_spent(self, now: datetime) -> int:
        return (await self._connection.execute(_WITHDRAW_SPENT, {"now": now})).rowcount

    async def reencrypt(self, kid: str, old: str, new: str) -> bool:
        sealed = update(signing_keys).where(_k.kid == kid, _k.sealed_private == old).values(sealed_private=new)
        return bool((await self._connection.execute(sealed)).rowcount)


def _gone(now: datetime) -> dict[str, str | datetime]:
    return {"state": KeyState.GONE.value, "state_since": now, "sealed_private": ""}


def _from_row(row: Sequence[Any]) -> SealedKey | None:
    """Return the key; None, and a log line, if the row is malformed."""
    try:
        values = _READER.read(row)
        use = odd_rows.read_enum(KeyUse, values["use"], "use")
        state = odd_rows.read_enum(KeyState, values["state"], "state")
    except OddRow as why:
        odd_rows.log_skipped(signing_keys.name, row[0], why)
        return None
    since = values["state_since"] or values["created_at"]
    return SealedKey(**{**values, "use": use, "state": state, "state_since": since})
