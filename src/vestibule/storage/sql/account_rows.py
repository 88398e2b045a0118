"""Read accounts from rows, their own or joined to a session's, and write them to rows."""

from collections.abc import Sequence
from typing import Any

from vestibule.model.accounts import Account, Role
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
        return Account(**{**values, "role": role, "language": language})
    except OddRow as why:
        odd_rows.log_skipped(accounts.name, row[0], why)
        return None


def _hash(stored: object) -> object:
    """Return a stored hash; an empty one if bytes are stored. `crypto/hash_forms.py` refuses other malformed hashes."""
    return "" if isinstance(stored, bytes) else stored


def to_row(account: Account) -> dict[str, Any]:
    """Return the values of the account's row, by column name."""
    return {column.name: getattr(account, column.name) for column in COLUMNS} | {"role": account.role.value}
