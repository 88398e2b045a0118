"""Read accounts from rows, their own or joined to a session's, and write them to rows."""

from collections.abc import Sequence
from typing import Any

from vestibule.model.accounts import Account, Role
from vestibule.model.custom_roles import is_role_name
from vestibule.model.languages import LANGUAGES
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.schema import accounts

COLUMNS = tuple(accounts.c)
_READER = odd_rows.Reader(COLUMNS)
_HASH_AT = COLUMNS.index(accounts.c.password_hash)


def from_row(row: Sequence[Any]) -> Account | None:
    """Return the account in the columns of `COLUMNS`; None, and a log line, if the row is malformed."""
    try:
        cells = list(row)
        cells[_HASH_AT] = _hash(row[_HASH_AT])
        values = _READER.read(cells)
        role = odd_rows.read_enum(Role, values["role"], "role")
        language = values["language"] if values["language"] in LANGUAGES else None
        return Account(**{**values, "role": role, "language": language, "roles": _roles(values["roles"])})
    except OddRow as why:
        odd_rows.log_skipped(accounts.name, row[0], why)
        return None


def _hash(stored: object) -> object:
    """Return a stored hash; an empty one if bytes are stored. `crypto/hash_forms.py` refuses other malformed hashes."""
    return "" if isinstance(stored, bytes) else stored


def _roles(stored: str | None) -> tuple[str, ...]:
    """Return the custom roles of an account; without those whose names this version does not know how to read."""
    return tuple(filter(is_role_name, stored.split())) if stored else ()


def roles_in_row(roles: Sequence[str]) -> str | None:
    """Return an account's custom roles as its row has them, separated by spaces; None if there are none."""
    return " ".join(roles) or None


def to_row(account: Account) -> dict[str, Any]:
    """Return the values of the account's row, by column name."""
    stored = {"role": account.role.value, "roles": roles_in_row(account.roles)}
    return {column.name: getattr(account, column.name) for column in COLUMNS} | stored
