"""Read sessions from rows, and write them to rows."""

from collections.abc import Sequence
from typing import Any

from vestibule.model.sessions import Device, EndReason, Session
from vestibule.protocol.authentication import Method
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.schema import sessions

_NOT_READ = {"client_id", "scope", "resource", "acted_at"}
COLUMNS = tuple(column for column in sessions.c if column.name not in _NOT_READ)
_READER = odd_rows.Reader(COLUMNS)
# Columns that have the name and the type of a field of `Session`.
_LIKE_FIELDS = tuple(c.name for c in COLUMNS if c.name not in {"user_agent", "network_address", "amr"})
_REASONS = frozenset(EndReason)


def from_row(row: Sequence[Any]) -> Session | None:
    """Return the session; None, and a log line, if the row is malformed. An end reason that only a later version knows
    becomes None: `ended_at` still says that the session has ended. A row from before migration 0017 has no methods: the
    sign-in was by password.
    """
    try:
        values = _READER.read(row)
    except OddRow as why:
        odd_rows.log_skipped(sessions.name, row[0], why)  # `id` comes first in COLUMNS
        return None
    device = Device(values.pop("user_agent"), values.pop("network_address"))
    reason = values.pop("end_reason")
    amr = values.pop("amr")
    methods = (Method.PASSWORD.value,) if amr is None else tuple(amr.split())
    values["authenticated_at"] = values["authenticated_at"] or values["created_at"]
    end_reason = EndReason(reason) if reason in _REASONS else None
    return Session(**values, device=device, methods=methods, end_reason=end_reason)


def to_row(session: Session) -> dict[str, Any]:
    """Return the values of the session's row, by column name."""
    row = {name: getattr(session, name) for name in _LIKE_FIELDS}
    device = {"user_agent": session.device.user_agent, "network_address": session.device.network_address}
    return row | device | {"amr": " ".join(session.methods)}
