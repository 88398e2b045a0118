"""What became of an account's letters, read from the outbox for an operator."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, or_, select

from vestibule.model.letters import LetterKind
from vestibule.model.people import LetterFate, LetterRecord
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.letter_statements import NOT_SENT
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import letters

_l = letters.c
_OWNER = bindparam("of_account", type_=_l.account_id.type)
_COLUMNS = (_l.id, _l.kind, _l.created_at, _l.due_at, _l.attempts, _l.settled_at, _l.refused_at, _l.last_fault)
_READER = odd_rows.Reader(_COLUMNS)
# Letters queued by email get their `account_id` when they are settled.
LATEST_OF = Prepared(
    select(*_COLUMNS)
    .where(or_(_l.account_id == _OWNER, and_(_l.asked_of == _OWNER, _l.settled_at.is_(None))))
    .order_by(_l.created_at.desc(), _l.id)
    .limit(bindparam("most"))
)


def record_from(row: Any) -> LetterRecord | None:
    """Return the letter's record; None, and a log line, if the row is malformed."""
    try:
        values = _READER.read(row)
        kind = odd_rows.read_enum(LetterKind, values["kind"], "kind")
    except OddRow as why:
        odd_rows.log_skipped(letters.name, row[0], why)
        return None
    fate, at = _fate(values)
    return LetterRecord(values["id"], kind, values["created_at"], fate, at, values["last_fault"])


def _fate(values: dict[str, Any]) -> tuple[LetterFate, datetime]:
    """Return what became of the letter, and `LetterRecord.at`."""
    if values["settled_at"] is not None:
        return LetterFate.WITHDRAWN if values["attempts"] == NOT_SENT else LetterFate.SENT, values["settled_at"]
    if values["refused_at"] is not None:
        return LetterFate.REFUSED, values["refused_at"]
    return LetterFate.DELAYED if values["last_fault"] else LetterFate.WAITING, values["due_at"]
