"""`model.one_time_tokens.OneTimeTokens` in SQL."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, exists, insert, or_, select, update

from vestibule.model.clock import MOST_APART
from vestibule.model.one_time_tokens import FOR_EVERY_EPOCH, UNDOING, OneTimeToken, Purpose, kept_email_digest
from vestibule.storage.sql.batches import deletion_of_oldest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, one_time_tokens, passkeys, totps

_t = one_time_tokens.c
_a = accounts.c
_TOKEN = [_t[field.name] for field in fields(OneTimeToken)]
_ACCOUNT = bindparam("of_account", type_=_t.account_id.type)
_DIGEST = bindparam("of_digest", type_=_t.digest.type)
_PURPOSE = bindparam("of_purpose", type_=_t.purpose.type)
_NOW = bindparam("now", type_=Instant)
_UNDO = Purpose.UNDO_EMAIL_CHANGE
_UNDOING = [purpose.value for purpose in sorted(UNDOING)]
_INSERT = Prepared(insert(one_time_tokens))


def _valid(t: Any) -> tuple[ColumnElement[bool], ...]:
    """Return conditions for a token that is unused, not expired, and not issued by a clock that was ahead: such a token
    would be valid for too long. Tokens that are `UNDOING` are exempt from the last: their `created_at` is the time of
    the change that they undo.
    """
    not_ahead = or_(t.created_at <= bindparam("latest", type_=Instant), t.purpose.in_(_UNDOING))
    return t.used_at.is_(None), t.expires_at > _NOW, not_ahead


def _delete_older(*conditions: ColumnElement[bool]) -> Prepared:
    return Prepared(delete(one_time_tokens).where(_t.account_id == _ACCOUNT, _t.purpose == _PURPOSE, *conditions))


_LETTER = bindparam("of_letter", type_=_t.letter_id.type)
_OF_ANOTHER_LETTER = or_(_LETTER.is_(None), _t.letter_id.is_(None), _t.letter_id != _LETTER)
_DELETE_OLDER = _delete_older(_OF_ANOTHER_LETTER)
# `kept_digest` spares the row that keeps the old email for the account (`token_that_keeps_email`).
_DELETE_OLDER_UNDO = _delete_older(
    _OF_ANOTHER_LETTER, _t.email == bindparam("to_email"), _t.digest != bindparam("kept_digest")
)
_DELETE_OF_DIGEST = Prepared(delete(one_time_tokens).where(_t.digest == _DIGEST))
# The token just added comes first, even if a clock of another machine was ahead and gave an older one a later date.
_JUST_ADDED = case((_t.digest == _DIGEST, 0), else_=1)
_NEWEST = (
    select(_t.digest)
    .where(_t.account_id == _ACCOUNT, _t.purpose == _PURPOSE)
    .order_by(_JUST_ADDED, _t.created_at.desc(), _t.digest)
    .limit(bindparam("most"))
)
_DELETE_BEYOND = _delete_older(_t.digest.not_in(_NEWEST))
_LOOK_UP = Prepared(select(*_TOKEN).where(_t.digest == _DIGEST, _t.purpose == _PURPOSE))
_WANTED_EMAIL = Prepared(
    select(_t.email)
    .join(accounts, _a.id == _t.account_id)
    .where(_a.id == _ACCOUNT, _a.epoch == _t.epoch, _a.email == _t.account_email, _a.disabled_at.is_(None))
    .where(*_valid(_t), _t.digest == _DIGEST, _t.purpose == Purpose.CHANGE_EMAIL.value)
)


def _spendable(t: Any, purpose: Purpose) -> Select[Any]:
    """Return a query for the account of the token with the digest `of_digest`, if the token can be spent now. After a
    change of the account's email or epoch, only a token `FOR_EVERY_EPOCH` can.
    """
    spendable = (
        select(t.account_id)
        .join(accounts, _a.id == t.account_id)
        .where(t.digest == _DIGEST, t.purpose == _PURPOSE, *_valid(t), _a.disabled_at.is_(None))
    )
    if purpose is Purpose.REMOVE_NEW_FACTOR:
        return spendable.where(_has_factor_of(t))
    if purpose in FOR_EVERY_EPOCH:
        return spendable
    return spendable.where(_a.epoch == t.epoch, _a.email == t.account_email)


def _has_factor_of(t: Any) -> ColumnElement[bool]:
    """Return the condition that the account still has a factor that was added at the token's `created_at`."""
    app = exists().where(totps.c.account_id == t.account_id, totps.c.confirmed_at == t.created_at)
    passkey = exists().where(passkeys.c.account_id == t.account_id, passkeys.c.created_at == t.created_at)
    return or_(app, passkey)


def _consume(purpose: Purpose) -> Prepared:
    """Return a statement that spends the presented token and every unused one of the same account and purpose: those of
    the same letter (`replace`), or codes for other browsers (`add_beside`). A concurrent request waits, then finds none
    unused. Undoing a change spends the tokens of later changes too, and keeps those of earlier ones.
    """
    presented = one_time_tokens.alias()
    p = presented.c
    spendable = _spendable(p, purpose)
    spent = [_t.purpose == _PURPOSE, _t.used_at.is_(None), _t.account_id == spendable.scalar_subquery()]
    if purpose in UNDOING:
        spent.append(_t.created_at >= spendable.with_only_columns(p.created_at).scalar_subquery())
    return Prepared(update(one_time_tokens).where(*spent).values(used_at=_NOW).returning(*_TOKEN))


_USABLE = {purpose: Prepared(_spendable(_t, purpose)) for purpose in Purpose}
_CONSUME = {purpose: _consume(purpose) for purpose in Purpose}
_OF_ONE_EPOCH = _t.purpose.not_in([purpose.value for purpose in sorted(FOR_EVERY_EPOCH)])
_PURGE = deletion_of_oldest(one_time_tokens, _t.expires_at < bindparam("before", type_=Instant), _t.expires_at)
_VOID = Prepared(delete(one_time_tokens).where(_t.account_id == _ACCOUNT, _OF_ONE_EPOCH))
_VOID_UNDO_TOO = Prepared(
    delete(one_time_tokens).where(
        _t.account_id == _ACCOUNT,
        or_(_OF_ONE_EPOCH, and_(_t.purpose == _UNDO.value, _t.created_at >= bindparam("undo_since", type_=Instant))),
    )
)


class SqlOneTimeTokens:
    """Implements `OneTimeTokens`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def replace(self, token: OneTimeToken) -> None:
        which = {"of_account": token.account_id, "of_purpose": token.purpose.value, "of_letter": token.letter_id}
        if token.purpose is _UNDO:
            kept_digest = kept_email_digest(token.email)
            undo = {"to_email": token.email, "kept_digest": kept_digest}
            await self._connection.execute(_DELETE_OLDER_UNDO, which | undo)
        else:
            await self._connection.execute(_DELETE_OLDER, which)
        await self._insert(token)

    async def keep(self, token: OneTimeToken) -> None:
        # A row that kept the email for another account is out of date: this account has had the email since.
        await self._connection.execute(_DELETE_OF_DIGEST, {"of_digest": token.digest})
        await self._insert(token)

    async def add_beside(self, token: OneTimeToken, most: int) -> None:
        await self._insert(token)
        which = {"of_account": token.account_id, "of_purpose": token.purpose.value, "of_digest": token.digest}
        await self._connection.execute(_DELETE_BEYOND, which | {"most": most})

    async def usable(self, digest: str, purpose: Purpose, now: datetime) -> bool:
        which = {"of_digest": digest, "of_purpose": purpose.value, **_moments(now)}
        return (await self._connection.execute(_USABLE[purpose], which)).one_or_none() is not None

    async def look_up(self, digest: str, purpose: Purpose) -> OneTimeToken | None:
        which = {"of_digest": digest, "of_purpose": purpose.value}
        row = (await self._connection.execute(_LOOK_UP, which)).one_or_none()
        return _from_row(row, purpose) if row is not None else None

    async def wanted_email(self, account_id: str, digest: str, now: datetime) -> str | None:
        which = {"of_account": account_id, "of_digest": digest, **_moments(now)}
        email: str | None = (await self._connection.execute(_WANTED_EMAIL, which)).scalar_one_or_none()
        return email

    async def consume(self, digest: str, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        which = {"of_digest": digest, "of_purpose": purpose.value, **_moments(now)}
        spent = await self._connection.execute(_CONSUME[purpose], which)
        return next((_from_row(row, purpose) for row in spent if row.digest == digest), None)

    async def void(self, account_id: str, *, undo_since: datetime | None = None) -> None:
        if undo_since is None:
            await self._connection.execute(_VOID, {"of_account": account_id})
        else:
            which = {"of_account": account_id, "undo_since": undo_since}
            await self._connection.execute(_VOID_UNDO_TOO, which)

    async def _insert(self, token: OneTimeToken) -> None:
        await self._connection.execute(_INSERT, {**asdict(token), "purpose": token.purpose.value})

    async def purge(self, before: datetime, most: int) -> int:
        return (await self._connection.execute(_PURGE, {"before": before, "most": most})).rowcount


def _from_row(row: Any, purpose: Purpose) -> OneTimeToken:
    return OneTimeToken(**{**row._asdict(), "purpose": purpose})


def _moments(now: datetime) -> dict[str, datetime]:
    return {"now": now, "latest": now + 2 * MOST_APART}
