"""`model.custom_roles.CustomRoles` in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from vestibule.model.custom_roles import CustomRole, HeldRole
from vestibule.protocol.permissions import is_permission
from vestibule.storage.sql import custom_role_statements as statements
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.schema import custom_roles

_READER = odd_rows.Reader(tuple(custom_roles.c))


class SqlCustomRoles:
    """Implements `CustomRoles`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def lock_all(self) -> None:
        # A count in an INSERT does not see what another transaction is adding. SQLite runs one writing transaction at a
        # time anyway.
        if self._connection.dialect.name == "postgresql":
            await self._connection.control("LOCK TABLE custom_roles IN SHARE ROW EXCLUSIVE MODE")

    async def lock(self, name: str) -> CustomRole | None:
        row = (await self._connection.execute(statements.LOCK, {"of_role": name})).one_or_none()
        return _from_row(row) if row else None

    async def keep(self, names: Sequence[str]) -> set[str]:
        if not names:
            return set()
        return set((await self._connection.execute(statements.KEEP, {"names": list(names)})).scalars())

    async def all(self) -> list[CustomRole]:
        rows = await self._connection.execute(statements.ALL)
        return [role for row in rows if (role := _from_row(row)) is not None]

    async def held(self, most: int) -> list[HeldRole]:
        rows = await self._connection.execute(statements.HELD, {"most": most})
        return [HeldRole(role, holders) for *row, holders in rows if (role := _from_row(row)) is not None]

    async def add(self, role: CustomRole) -> bool:
        row = {
            "new_name": role.name,
            "new_permissions": " ".join(role.permissions),
            "new_created_at": role.created_at,
            "new_changed_at": role.changed_at,
        }
        return (await self._connection.execute(statements.ADD, row)).scalar_one_or_none() is not None

    async def set_permissions(self, name: str, permissions: Sequence[str], now: datetime) -> bool:
        new = {"of_role": name, "new_permissions": " ".join(permissions), "now": now}
        return bool((await self._connection.execute(statements.SET_PERMISSIONS, new)).rowcount)

    async def remove(self, name: str) -> bool:
        return bool((await self._connection.execute(statements.REMOVE, {"of_role": name})).rowcount)

    async def holders(self, name: str, most: int) -> list[str]:
        found = await self._connection.execute(statements.HOLDERS, {"of_role": name, "most": most})
        return list(found.scalars())


def _from_row(row: Sequence[Any]) -> CustomRole | None:
    """Return the role; None, and a log line, if the row is malformed. What is no valid permission is left out."""
    try:
        values = _READER.read(row)
    except OddRow as why:
        odd_rows.log_skipped(custom_roles.name, row[0], why)
        return None
    permissions = tuple(filter(is_permission, values.pop("permissions").split()))
    return CustomRole(**values, permissions=permissions)
