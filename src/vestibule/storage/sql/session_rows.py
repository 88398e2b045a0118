"""Read sessions from rows, and write them to rows."""

from collections.abc import Sequence
from typing import Any

from vestibule.model.sessions import Device, EndReason, Session
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.schema import sessions

COLUMNS = tuple(sessions.c)
_READER = odd_rows.Reader(COLUMNS)
_REASONS = frozenset(EndReason)


def from_row(row: Sequence[Any]) -> Session | None:
    """Return the session; None, and a log line, if the row is malformed. An end reason that only a later version
    knows becomes None: the session has ended all the same.
    """
    try:
        members = _READER.members(row)
    except OddRow as why:
        odd_rows.log_skipped(sessions.name, row[0], why)  # `id` comes first in COLUMNS
        return None
    device = Device(members.pop("user_agent"), members.pop("network_address"))
    reason = members.pop("end_reason")
    return Session(**members, device=device, end_reason=EndReason(reason) if reason in _REASONS else None)


def to_row(session: Session) -> dict[str, Any]:
    """Return the values of the session's row, by column name."""
    row = {c.name: getattr(session, c.name) for c in COLUMNS if c.name not in {"user_agent", "network_address"}}
    return row | {"user_agent": session.device.user_agent, "network_address": session.device.network_address}
