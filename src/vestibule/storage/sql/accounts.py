"""`model.accounts.Accounts` in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, delete, exists, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.crypto.hash_forms import Cost, argon2_costs
from vestibule.model.accounts import Account, Holder
from vestibule.storage.sql.account_rows import COLUMNS, from_row, to_row
from vestibule.storage.sql.account_use import nobodys, used_since
from vestibule.storage.sql.hash_costs import HIGHEST_BCRYPT_COST, OTHER_ARGON2
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema import accounts, one_time_tokens
from vestibule.storage.sql.ways_back import KEPT, kept_at, places

_WITH_EMAIL = select(*COLUMNS).where(accounts.c.email == bindparam("wanted"))
_GET = select(*COLUMNS).where(accounts.c.id == bindparam("wanted"))
# SQLite leaves the clause out; there, one transaction runs at a time.
_LOCK, _LOCK_AT = _GET.with_for_update(), _WITH_EMAIL.with_for_update()
_OF_TOKEN = one_time_tokens.c.digest == bindparam("of_digest")
_LOCK_FOR_TOKEN = (
    select(accounts.c.id)
    .where(
        or_(
            accounts.c.id == select(one_time_tokens.c.account_id).where(_OF_TOKEN).scalar_subquery(),
            accounts.c.email == select(one_time_tokens.c.email).where(_OF_TOKEN).scalar_subquery(),
        )
    )
    .order_by(accounts.c.id)  # two who want each other's email take both in the same order
    .with_for_update(of=accounts)
)
_NO_ID = ("",)  # without any, the statement would read otherwise


class SqlAccounts:
    """Who there is."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, account: Account) -> bool:
        return bool(await self.add_missing([account]))

    async def add_missing(self, batch: Sequence[Account]) -> set[str]:
        if not batch:
            return set()
        # ON CONFLICT reads the same on both databases, and SQLAlchemy compiles this form of it for both.
        statement = insert(accounts).values([to_row(account) for account in batch]).on_conflict_do_nothing()
        added = set((await self._connection.execute(statement.returning(accounts.c.id))).scalars())
        # Afterwards: who waited for an email that somebody was being moved away from sees by now that it is kept. And
        # always, since where accounts are concealed the number of statements would tell.
        at = func.coalesce(accounts.c.imported_at, accounts.c.created_at)
        kept = exists().where(places([a.email for a in batch]), KEPT.c.email == accounts.c.email, kept_at(at))
        not_free = delete(accounts).where(accounts.c.id.in_(added or _NO_ID), kept).returning(accounts.c.id)
        return added - set((await self._connection.execute(not_free)).scalars())

    async def note_use(self, account_id: str, epoch: int, now: datetime) -> None:
        unused = and_(accounts.c.id == account_id, accounts.c.epoch == epoch, accounts.c.first_used_at.is_(None))
        await self._connection.execute(update(accounts).where(unused).values(first_used_at=now))

    async def holders(self, batch: Sequence[Account]) -> dict[str, Holder]:
        ids, emails = [account.id for account in batch], [account.email for account in batch]
        alike = or_(accounts.c.id.in_(ids), accounts.c.email.in_(emails))
        columns = (accounts.c.email, accounts.c.id, accounts.c.verified)
        found = await self._connection.execute(select(*columns).where(alike))
        return {row.email: Holder(row.id, row.verified) for row in found}

    async def kept(self, emails: Sequence[str], now: datetime) -> dict[str, str]:
        at = bindparam("now", now, Instant)
        found = await self._connection.execute(
            select(KEPT.c.email, KEPT.c.account_id).where(places(emails), kept_at(at))
        )
        return {row.email: row.account_id for row in found}

    async def register_again(self, account: Account, before: datetime) -> Account | None:
        changed = await self._connection.execute(
            update(accounts)
            .where(accounts.c.email == account.email, nobodys(before))
            .values(
                name=account.name,
                password_hash=account.password_hash,
                language=account.language,
                epoch=accounts.c.epoch + 1,
                registered_epoch=accounts.c.epoch + 1,
                created_at=account.created_at,
                updated_at=account.updated_at,
                registered_again_at=account.created_at,
            )
            .returning(*COLUMNS)
        )
        row = changed.one_or_none()
        return None if row is None else from_row(row)

    async def with_email(self, email: str) -> Account | None:
        return await self._one(_WITH_EMAIL, email)

    async def get(self, account_id: str) -> Account | None:
        return await self._one(_GET, account_id)

    async def lock(self, account_id: str) -> Account | None:
        return await self._one(_LOCK, account_id)

    async def lock_at(self, email: str) -> Account | None:
        return await self._one(_LOCK_AT, email)

    async def of_token(self, digest: str) -> Account | None:
        its = one_time_tokens.c.account_id == accounts.c.id
        unspent = (_OF_TOKEN, one_time_tokens.c.used_at.is_(None))
        query = select(*COLUMNS).join(one_time_tokens, its).where(*unspent)
        row = (await self._connection.execute(query, {"of_digest": digest})).one_or_none()
        return None if row is None else from_row(row)

    async def lock_for_token(self, digest: str) -> None:
        await self._connection.execute(_LOCK_FOR_TOKEN, {"of_digest": digest})

    async def verify(self, account_id: str, email: str, now: datetime, epoch: int | None = None) -> bool:
        same = true() if epoch is None else accounts.c.epoch == epoch
        done = await self._connection.execute(
            update(accounts)
            .where(accounts.c.id == account_id, accounts.c.email == email, same)
            .values(verified=True, updated_at=now, first_used_at=used_since(now))
        )
        return bool(done.rowcount)

    async def doubt_password(self, email: str, now: datetime, known: str | None) -> bool:
        another = accounts.c.password_hash.is_distinct_from(bindparam("known", known, Text))  # one text for both
        unverified = and_(accounts.c.email == email, accounts.c.verified.is_(False))
        done = await self._connection.execute(
            update(accounts).where(unverified, another).values(registered_again_at=now)
        )
        return bool(done.rowcount)

    async def trust_password(self, email: str, stored: str | None, doubted_at: datetime) -> None:
        noted = and_(accounts.c.email == email, accounts.c.registered_again_at == doubted_at)
        same = accounts.c.password_hash == bindparam("stored", stored, Text)  # nor is it for a NULL
        await self._connection.execute(update(accounts).where(noted, same).values(registered_again_at=None))

    async def set_password(self, account_id: str, password_hash: str, now: datetime) -> int:
        its = accounts.c.id == account_id
        epoch = await self._change(its, now, password_hash=password_hash, registered_again_at=None)
        return epoch or 0

    async def change_password(self, account_id: str, old: str, new: str, now: datetime) -> int | None:
        unchanged = and_(accounts.c.id == account_id, accounts.c.password_hash == old)
        return await self._change(unchanged, now, password_hash=new)

    async def set_language(self, account_id: str, language: str, now: datetime) -> bool:
        done = await self._connection.execute(
            update(accounts)
            .where(accounts.c.id == account_id, accounts.c.language.is_distinct_from(language))
            .values(language=language, updated_at=now)
        )
        return bool(done.rowcount)

    async def disable(self, account_id: str, now: datetime) -> bool:
        is_open = and_(accounts.c.id == account_id, accounts.c.disabled_at.is_(None))
        return await self._change(is_open, now, disabled_at=now) is not None

    async def enable(self, account_id: str, now: datetime) -> bool:
        is_shut = and_(accounts.c.id == account_id, accounts.c.disabled_at.is_not(None))
        return await self._change(is_shut, now, disabled_at=None) is not None

    async def change_email(self, account_id: str, email: str, now: datetime) -> str | None:
        before = await self._connection.execute(
            select(accounts.c.email).where(accounts.c.id == account_id).with_for_update()
        )
        old: str | None = before.scalar_one_or_none()
        if (await self.kept([email], now)).get(email, account_id) != account_id:
            return None
        return old if await self._move(account_id, email, now) else None

    async def take_back(self, account_id: str, email: str, now: datetime) -> Account | None:
        moved = await self._move(account_id, email, now, password_hash=None)
        return await self.get(account_id) if moved else None

    async def remove_squatter(self, email: str, owner_id: str) -> str | None:
        squats = and_(accounts.c.email == email, accounts.c.verified.is_(False), accounts.c.id != owner_id)
        removed = await self._connection.execute(delete(accounts).where(squats).returning(accounts.c.id))
        account_id: str | None = removed.scalar_one_or_none()
        return account_id

    async def _move(self, account_id: str, email: str, now: datetime, **values: Any) -> bool:
        try:
            async with self._connection.begin_nested():  # so that a taken email costs no more than this statement
                is_it = accounts.c.id == account_id
                verified = {"verified": True, "registered_again_at": None}
                return await self._change(is_it, now, email=email, **verified, **values) is not None
        except IntegrityError:
            return False

    async def _change(self, which: ColumnElement[bool], now: datetime, **values: Any) -> int | None:
        """Change one account, which is a use of it, and begin a new epoch; which, or None if nothing was to change."""
        changed = await self._connection.execute(
            update(accounts)
            .where(which)
            .values(**values, epoch=accounts.c.epoch + 1, updated_at=now, first_used_at=used_since(now))
            .returning(accounts.c.epoch)
        )
        epoch: int | None = changed.scalar_one_or_none()
        return epoch

    async def remove(self, account_id: str) -> bool:
        return bool((await self._connection.execute(delete(accounts).where(accounts.c.id == account_id))).rowcount)

    async def never_used(self, before: datetime, most: int, account_id: str | None = None) -> list[Account]:
        its = true() if account_id is None else accounts.c.id == account_id
        rows = await self._connection.execute(
            select(*COLUMNS).where(its, nobodys(before)).order_by(accounts.c.id).limit(most)
        )
        return [account for row in rows if (account := from_row(row)) is not None]

    async def highest_bcrypt_cost(self) -> int | None:
        found = await self._connection.execute(HIGHEST_BCRYPT_COST)
        text: str | None = found.scalar_one()
        return int(text) if text else None

    async def other_argon2(self) -> set[Cost]:
        found = await self._connection.execute(OTHER_ARGON2[self._connection.dialect.name])
        return argon2_costs(" ".join(text for text in found.scalars() if isinstance(text, str)))

    async def replace_hash(self, account_id: str, old: str, new: str) -> None:
        await self._connection.execute(
            update(accounts)
            .where(accounts.c.id == account_id, accounts.c.password_hash == old)
            .values(password_hash=new)
        )

    async def _one(self, query: Select[Any], wanted: str) -> Account | None:
        row = (await self._connection.execute(query, {"wanted": wanted})).one_or_none()
        return None if row is None else from_row(row)
