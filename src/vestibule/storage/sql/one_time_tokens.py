"""`model.one_time_tokens.OneTimeTokens` in SQL."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.clock import MOST_APART
from vestibule.model.one_time_tokens import OneTimeToken, Purpose, place_of_way_back
from vestibule.storage.sql.batches import delete_oldest
from vestibule.storage.sql.schema import accounts, one_time_tokens

_t = one_time_tokens.c
_a = accounts.c
_TOKEN = [_t[field.name] for field in fields(OneTimeToken)]


class SqlOneTimeTokens:
    """What was mailed and not yet spent."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace(self, token: OneTimeToken) -> None:
        older = [_t.account_id == token.account_id, _t.purpose == token.purpose.value]
        if token.letter_id is not None:
            older.append(or_(_t.letter_id.is_(None), _t.letter_id != token.letter_id))
        if token.purpose is Purpose.UNDO_EMAIL_CHANGE:
            older += [_t.email == token.email, _t.digest != place_of_way_back(token.email)]
        await self._connection.execute(delete(one_time_tokens).where(*older))
        await self._connection.execute(
            insert(one_time_tokens).values({**asdict(token), "purpose": token.purpose.value})
        )

    async def keep(self, token: OneTimeToken) -> None:
        # What kept it before is over, whosever it was: the account that is moved has had it since.
        await self._connection.execute(delete(one_time_tokens).where(_t.digest == token.digest))
        await self._connection.execute(
            insert(one_time_tokens).values({**asdict(token), "purpose": token.purpose.value})
        )

    async def usable(self, digest: str, purpose: Purpose, now: datetime) -> bool:
        unspent = _good(_t, now)
        mailed = select(_t.digest).where(_t.digest == digest, _t.purpose == purpose.value, *unspent)
        return (await self._connection.execute(mailed)).one_or_none() is not None

    async def wanted_email(self, account_id: str, digest: str, now: datetime) -> str | None:
        unspent = _good(_t, now)
        tied = (_a.id == account_id, _a.epoch == _t.epoch, _a.email == _t.account_email, _a.disabled_at.is_(None))
        its = select(_t.email).join(accounts, _a.id == _t.account_id).where(*tied, *unspent)
        change = (_t.digest == digest, _t.purpose == Purpose.CHANGE_EMAIL.value)
        return (await self._connection.execute(its.where(*change))).scalar_one_or_none()

    async def consume(self, digest: str, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        # One statement for it and for its twins in the same letter: whoever comes second waits for the first, then
        # finds none of them unused.
        presented = one_time_tokens.alias()
        good = (
            select(presented.c.account_id)
            .join(accounts, _a.id == presented.c.account_id)
            .where(
                presented.c.digest == digest,
                presented.c.purpose == purpose.value,
                *_good(presented.c, now),
                _a.disabled_at.is_(None),
            )
        )
        if purpose is not Purpose.UNDO_EMAIL_CHANGE:
            good = good.where(_a.epoch == presented.c.epoch, _a.email == presented.c.account_email)
        also = [_t.purpose == purpose.value, _t.used_at.is_(None), _t.account_id == good.scalar_subquery()]
        if purpose is Purpose.UNDO_EMAIL_CHANGE:
            # Whoever undoes a change undoes those after it, and leaves alone the ways back from those before.
            made = good.with_only_columns(presented.c.created_at).scalar_subquery()
            also.append(_t.created_at >= made)
        spent = await self._connection.execute(
            update(one_time_tokens).where(*also).values(used_at=now).returning(*_TOKEN)
        )
        found = (row for row in spent if row.digest == digest)
        return next((OneTimeToken(**{**row._mapping, "purpose": purpose}) for row in found), None)

    async def void(self, account_id: str, *, undo_since: datetime | None = None) -> None:
        dies = _t.purpose != Purpose.UNDO_EMAIL_CHANGE.value
        if undo_since is not None:
            dies = or_(dies, _t.created_at >= undo_since)
        await self._connection.execute(delete(one_time_tokens).where(_t.account_id == account_id, dies))

    async def purge(self, before: datetime, most: int) -> int:
        return await delete_oldest(self._connection, one_time_tokens, _t.expires_at < before, _t.expires_at, most)


def _good(t: Any, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Neither spent nor expired; nor made by a clock that was ahead, by which it would be good for longer than anybody
    was told. A way back to an email is not closed for that.
    """
    made = or_(t.created_at <= now + 2 * MOST_APART, t.purpose == Purpose.UNDO_EMAIL_CHANGE.value)
    return t.used_at.is_(None), t.expires_at > now, made
