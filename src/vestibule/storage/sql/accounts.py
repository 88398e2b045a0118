"""`model.accounts.Accounts` in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from vestibule.crypto.stored_hashes import HashCosts, costs_of
from vestibule.model.accounts import Account, Holder, Role
from vestibule.model.clock import SMALLEST_STEP
from vestibule.storage.sql import account_statements as statements
from vestibule.storage.sql.account_rows import from_row, roles_in_row, to_row
from vestibule.storage.sql.custom_role_statements import GIVE, TAKE_ALL
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.hash_costs import HASH_COSTS
from vestibule.storage.sql.kept_emails import kept_digests
from vestibule.storage.sql.last_admin import ENABLED_ADMINS
from vestibule.storage.sql.prepared import Parameters, Prepared

_NO_ID = ("",)  # replaces an empty list, which would change the statement's text
_SET_BY_REGISTERING = ("name", "password_hash", "language", "created_at", "updated_at")


class SqlAccounts:
    """Implements `Accounts`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def add(self, account: Account) -> bool:
        return bool(await self.add_missing([account]))

    async def add_missing(self, batch: Sequence[Account]) -> set[str]:
        if not batch:
            return set()
        rows = [to_row(account) for account in batch]
        added = set((await self._connection.execute(statements.ADD, rows)).scalars())
        # The INSERT may have waited for a transaction that keeps the email for another account, and does not see what
        # that transaction wrote; this second statement does. It runs even if nothing was added, because the number of
        # statements must not tell whether an account exists.
        which = {"added": list(added or _NO_ID), "kept_digests": kept_digests([account.email for account in batch])}
        return added - set((await self._connection.execute(statements.DELETE_KEPT, which)).scalars())

    async def note_use(self, account_id: str, epoch: int, now: datetime) -> None:
        which = {"of_account": account_id, "in_epoch": epoch, "now": now}
        await self._connection.execute(statements.NOTE_USE, which)

    async def holders(self, batch: Sequence[Account]) -> dict[str, Holder]:
        which = {"ids": [account.id for account in batch], "emails": [account.email for account in batch]}
        found = await self._connection.execute(statements.HOLDERS, which)
        return {row.email: Holder(row.id, row.verified) for row in found}

    async def kept(self, emails: Sequence[str], now: datetime) -> dict[str, str]:
        found = await self._connection.execute(
            statements.KEPT_EMAILS, {"kept_digests": kept_digests(emails), "now": now}
        )
        return {row.email: row.account_id for row in found}

    async def register_again(self, account: Account, before: datetime) -> Account | None:
        row = {name: value for name, value in to_row(account).items() if name in _SET_BY_REGISTERING}
        return await self._one(statements.REGISTER_AGAIN, row | {"at_email": account.email, "before": before})

    async def with_email(self, email: str) -> Account | None:
        return await self._one(statements.WITH_EMAIL, {"at_email": email})

    async def get(self, account_id: str) -> Account | None:
        return await self._one(statements.GET, {"of_account": account_id})

    async def lock(self, account_id: str) -> Account | None:
        return await self._one(statements.LOCK, {"of_account": account_id})

    async def lock_at(self, email: str) -> Account | None:
        return await self._one(statements.LOCK_AT, {"at_email": email})

    async def lock_these(self, account_ids: Sequence[str]) -> dict[str, Account]:
        rows = await self._connection.execute(statements.LOCK_THESE, {"ids": list(account_ids or _NO_ID)})
        found = [account for row in rows if (account := from_row(row)) is not None]
        return {account.id: account for account in found}

    async def of_token(self, digest: str) -> Account | None:
        return await self._one(statements.OF_TOKEN, {"of_digest": digest})

    async def lock_for_token(self, digest: str) -> None:
        await self._connection.execute(statements.LOCK_FOR_TOKEN, {"of_digest": digest})

    async def verify(self, account_id: str, email: str, now: datetime, epoch: int | None = None) -> bool:
        which = {"of_account": account_id, "at_email": email, "in_epoch": epoch, "now": now}
        return bool((await self._connection.execute(statements.VERIFY, which)).rowcount)

    async def doubt_password(self, email: str, now: datetime, unless: str | None) -> bool:
        which = {"at_email": email, "of_hash": unless, "now": now}
        return bool((await self._connection.execute(statements.DOUBT_PASSWORD, which)).rowcount)

    async def trust_password(self, email: str, stored: str | None, doubted_at: datetime) -> None:
        which = {"at_email": email, "of_hash": stored, "doubted_at": doubted_at}
        await self._connection.execute(statements.TRUST_PASSWORD, which)

    async def set_password(self, account_id: str, password_hash: str, now: datetime) -> int:
        return await self._change(statements.SET_PASSWORD, account_id, now, password_hash=password_hash) or 0

    async def change_password(self, account_id: str, old: str, new: str, now: datetime) -> int | None:
        return await self._change(statements.CHANGE_PASSWORD, account_id, now, of_hash=old, password_hash=new)

    async def set_name(self, account_id: str, epoch: int, name: str, now: datetime) -> bool:
        which = {"of_account": account_id, "of_epoch": epoch, "name": name, "now": now}
        return bool((await self._connection.execute(statements.SET_NAME, which)).rowcount)

    async def set_language(self, account_id: str, language: str, now: datetime) -> bool:
        which = {"of_account": account_id, "language": language, "now": now}
        return bool((await self._connection.execute(statements.SET_LANGUAGE, which)).rowcount)

    async def set_role(self, account_id: str, role: Role, now: datetime) -> bool:
        return await self._change(statements.SET_ROLE, account_id, now, new_role=role.value) is not None

    async def set_roles(self, account_id: str, roles: Sequence[str], now: datetime) -> None:
        await self._connection.execute(TAKE_ALL, {"of_account": account_id})
        if roles:
            await self._connection.execute(GIVE, {"of_account": account_id, "names": list(roles)})
        await self._change(statements.SET_ROLES, account_id, now, new_roles=roles_in_row(roles))

    async def enabled_admins(self, most: int) -> list[str]:
        found = await self._connection.execute(ENABLED_ADMINS, {"most": most})
        return list(found.scalars())

    async def disable(self, account_id: str, reason: str | None, now: datetime) -> bool:
        return await self._change(statements.DISABLE, account_id, now, reason=reason) is not None

    async def enable(self, account_id: str, now: datetime) -> bool:
        return await self._change(statements.ENABLE, account_id, now) is not None

    async def change_email(self, account_id: str, email: str, now: datetime) -> str | None:
        account = await self.lock(account_id)
        keeper_id = (await self.kept([email], now)).get(email)
        if account is None or keeper_id not in {None, account_id}:
            return None
        changed = await self._set_email(statements.CHANGE_EMAIL, account_id, email, now)
        return account.email if changed else None

    async def replace_email(self, account_id: str, email: str, now: datetime) -> bool:
        before = now + SMALLEST_STEP  # the account may have been registered at `now`
        return await self._set_email(statements.REPLACE_EMAIL, account_id, email, now, before=before)

    async def reassign_to_email(self, account_id: str, email: str, now: datetime) -> Account | None:
        changed = await self._set_email(statements.REASSIGN_TO_EMAIL, account_id, email, now)
        return await self.get(account_id) if changed else None

    async def remove_squatter(self, account_id: str, email: str) -> bool:
        which = {"of_account": account_id, "at_email": email}
        return bool((await self._connection.execute(statements.REMOVE_SQUATTER, which)).rowcount)

    async def _set_email(self, change: Prepared, account_id: str, email: str, now: datetime, **which: Any) -> bool:
        try:
            async with self._connection.begin_nested():  # if the email is taken, only this statement is undone
                return await self._change(change, account_id, now, new_email=email, **which) is not None
        except IntegrityError:
            return False

    async def _change(self, change: Prepared, account_id: str, now: datetime, **values: Any) -> int | None:
        """Return the new epoch; None if nothing had to change."""
        changed = await self._connection.execute(change, {"of_account": account_id, "now": now, **values})
        epoch: int | None = changed.scalar_one_or_none()
        return epoch

    async def remove(self, account_id: str) -> bool:
        return bool((await self._connection.execute(statements.REMOVE, {"of_account": account_id})).rowcount)

    async def never_used(self, before: datetime, most: int, account_id: str | None = None) -> list[Account]:
        which: dict[str, Any] = {"before": before, "most": most}
        if account_id is None:
            rows = await self._connection.execute(statements.NEVER_USED, which)
        else:
            rows = await self._connection.execute(statements.NEVER_USED_ONE, which | {"of_account": account_id})
        return [account for row in rows if (account := from_row(row)) is not None]

    async def hash_costs(self) -> HashCosts:
        found = await self._connection.execute(HASH_COSTS)
        return costs_of(found.scalars())

    async def replace_hash(self, account_id: str, old: str, new: str) -> None:
        which = {"of_account": account_id, "of_hash": old, "password_hash": new}
        await self._connection.execute(statements.REPLACE_HASH, which)

    async def _one(self, query: Prepared, which: Parameters) -> Account | None:
        row = (await self._connection.execute(query, which)).one_or_none()
        return None if row is None else from_row(row)
