"""`model.letters.Letters` in SQL: the outbox."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from vestibule.model.accounts import Account
from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import NOTICES, LetterKind, QueuedLetter
from vestibule.model.outbox import LEASE, NOTICES_WAIT, LetterPosition, LetterState, OutboxCounts
from vestibule.model.people import LetterRecord
from vestibule.storage.sql import letter_statements as statements
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.letter_records import LATEST_OF, record_from
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.request_ids import with_request_id
from vestibule.storage.sql.rows import Rows
from vestibule.storage.sql.schema import letters

_l = letters.c
_READER = odd_rows.Reader(statements.LETTER)
_MALFORMED = "this version cannot read the row"
_MOST_MALFORMED = 50  # rows that one claim refuses; the next claim goes on


class SqlLetters:
    """Implements `Letters`. A claim moves the letter's `due_at` to the end of the lease: if the worker dies meanwhile,
    the letter is due again then.
    """

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def queue(self, letter: QueuedLetter) -> None:
        row = {
            "id": letter.id,
            "kind": letter.kind.value,
            "account_id": letter.account_id,
            "email": letter.email,
            "language": letter.language,
            "detail": json.dumps(with_request_id(letter.detail)),
            "created_at": letter.created_at,
            "due_at": letter.created_at,
            "attempts": letter.attempts,
        }
        named_by = "account_id" if letter.account_id is not None else "email"
        whose = row[named_by]
        statement = statements.QUEUE[named_by]
        if letter.kind in NOTICES and letter.email is None:  # for the account's email, if that is verified
            statement = statements.QUEUE_NOTICE
            del row["email"]
        await self._connection.execute(statement, {**row, "whose": whose})

    async def claim(self, now: datetime) -> QueuedLetter | None:
        moments = {"now": now, "long_ago": now - NOTICES_WAIT, "lease_end": now + LEASE}
        for _ in range(_MOST_MALFORMED):
            claimed = await self._connection.execute(statements.CLAIM, moments)
            row = claimed.one_or_none()
            if row is None:
                return None
            letter = _from_row(row)
            if letter is not None:
                return letter
            await self._connection.execute(
                statements.REFUSE_MALFORMED, {"of_letter": row.id, "now": now, "fault": _MALFORMED}
            )
        return None

    async def lock(self, letter: QueuedLetter) -> bool:
        locked = await self._connection.execute(statements.LOCK, _claim_of(letter))
        return locked.one_or_none() is not None

    async def newer(self, letter: QueuedLetter, account: Account) -> bool:
        which = {"of_account": account.id, "in_epoch": account.epoch, "of_kind": letter.kind.value}
        return bool(
            (await self._connection.execute(statements.NEWER, which | {"moment": letter.created_at})).scalar_one()
        )

    async def settle(self, letter: QueuedLetter, now: datetime, account_id: str | None, *, sent: bool) -> None:
        kept = letter.attempts if sent else statements.NOT_SENT
        which = {"of_letter": letter.id, "now": now, "of_account": account_id, "attempts_kept": kept}
        await self._connection.execute(statements.SETTLE, which)

    async def put_off(self, letter: QueuedLetter, due_at: datetime, fault: str) -> None:
        await self._connection.execute(statements.PUT_OFF, {**_claim_of(letter), "new_due": due_at, "fault": fault})

    async def refuse(self, letter: QueuedLetter, now: datetime, fault: str) -> None:
        await self._connection.execute(statements.REFUSE, {**_claim_of(letter), "now": now, "fault": fault})

    async def delete_of(self, account_id: str) -> None:
        await self._connection.execute(statements.DELETE_OF, {"of_account": account_id})

    async def purge_settled(self, account_id: str, most: int) -> int:
        which = {"of_account": account_id, "most": most}
        return (await self._connection.execute(statements.PURGE_SETTLED, which)).rowcount

    async def purge(self, before: datetime, most: int) -> int:
        return (await self._connection.execute(statements.PURGE, {"before": before, "most": most})).rowcount

    async def withdraw(self, account_id: str, now: datetime, *, undo_since: datetime | None = None) -> None:
        which = {"of_account": account_id, "now": now}
        if undo_since is not None:
            which["undo_since"] = undo_since
        await self._connection.execute(statements.WITHDRAW[undo_since is not None], which)

    # The statements of `unsettled` and `retry` are not prepared: only operators call them, and seldom.
    async def unsettled(self, most: int) -> list[LetterState]:
        rows = await self._connection.execute(
            select(*statements.LETTER, _l.due_at, _l.refused_at, _l.last_fault)
            .where(_l.settled_at.is_(None))
            .order_by(_l.created_at)
            .limit(most)
        )
        return _states_from(rows)

    async def unsettled_page(self, after: LetterPosition | None, most: int, *, refused: bool) -> list[LetterState]:
        start = after or statements.FIRST
        which = {"moment": start.created_at, "after_id": start.letter_id, "most": most}
        return _states_from(await self._connection.execute(statements.UNSETTLED[refused], which))

    async def latest_of(self, account_id: str, most: int) -> list[LetterRecord]:
        rows = await self._connection.execute(LATEST_OF, {"of_account": account_id, "most": most})
        return [letter for row in rows if (letter := record_from(row)) is not None]

    async def retry(self, now: datetime, letter_ids: Sequence[str] | None = None) -> int:
        conditions = [_l.settled_at.is_(None), _l.last_fault.is_not(None)]
        if letter_ids is not None:
            conditions.append(_l.id.in_(letter_ids))
        # Skip a letter that another transaction holds: a statement that locks several rows must not wait for one.
        free = select(_l.id).where(*conditions).with_for_update(skip_locked=True).cte("free")
        done = await self._connection.execute(
            update(letters).where(_l.id.in_(select(free))).values(due_at=now, refused_at=None).returning(_l.id)
        )
        return len(done.all())

    async def counts(self) -> OutboxCounts:
        return OutboxCounts(*(await self._connection.execute(statements.COUNTS)).one())


def _states_from(rows: Rows) -> list[LetterState]:
    return [
        LetterState(letter, row.due_at, row.refused_at, row.last_fault)
        for row in rows
        if (letter := _from_row(row[: len(statements.LETTER)])) is not None
    ]


def _claim_of(letter: QueuedLetter) -> dict[str, Any]:
    """Return the values that name this worker's claim: each claim of a letter raises `attempts`."""
    return {"of_letter": letter.id, "of_claim": letter.attempts}


def _from_row(row: Sequence[Any]) -> QueuedLetter | None:
    """Return the letter; None, and a log line, if the row is malformed."""
    try:
        values = _READER.read(row)
        kind = odd_rows.read_enum(LetterKind, values["kind"], "kind")
        detail = odd_rows.read_detail(values["detail"])
    except OddRow as why:
        odd_rows.log_skipped(letters.name, row[0], why)
        return None
    language = values["language"] if values["language"] in LANGUAGES else None
    return QueuedLetter(**{**values, "kind": kind, "detail": detail, "language": language})
