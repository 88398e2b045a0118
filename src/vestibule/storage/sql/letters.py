"""`model.letters.Letters` in SQL: the outbox."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from vestibule.model.accounts import Account
from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import (
    LEASE,
    NOTICES,
    NOTICES_WAIT,
    TOKEN_IN,
    Backlog,
    LetterKind,
    LetterState,
    QueuedLetter,
)
from vestibule.storage.sql import odd_rows
from vestibule.storage.sql.batches import delete_oldest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.during_request import with_request_id
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.odd_rows import OddRow
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, letters

_l = letters.c
_ASKED = (_l.asked_of, _l.epoch)
_LETTER = (_l.id, _l.kind, _l.created_at, _l.account_id, _l.email, _l.language, _l.detail, _l.attempts, *_ASKED)
_READER = odd_rows.Reader(_LETTER)
_ODD = "the row is not a letter of this version's"
_MOST_ODD = 50  # in one claim; the next goes on
# Once a letter is settled: what it said, and to whom.
_SCRUBBED = {"email": None, "detail": "{}", "last_fault": None}
_WAITING = and_(_l.settled_at.is_(None), _l.refused_at.is_(None))

_TIED = [kind.value for kind in TOKEN_IN if kind is not LetterKind.EMAIL_CHANGED]


def _queue(whose: ColumnElement[bool], **also: ColumnElement[Any]) -> Insert:
    """Return an INSERT of a letter with the account's id and epoch, as fast for an email without an account."""
    asked = {"asked_of": accounts.c.id, "epoch": accounts.c.epoch, **also}
    return insert(letters).values({name: select(c).where(whose).scalar_subquery() for name, c in asked.items()})


_QUEUE = {
    "account_id": Prepared(_queue(accounts.c.id == bindparam("whose"))),
    "email": Prepared(_queue(accounts.c.email == bindparam("whose"))),
}
_QUEUE_NOTICE = Prepared(
    _queue(accounts.c.id == bindparam("whose"), email=case((accounts.c.verified, accounts.c.email)))
)


def _oldest(due: str, *those: ColumnElement[bool]) -> Any:
    """Return a sub-select of the letter that waits longest, due by the moment bound to `due`."""
    waiting = select(_l.id).where(_WAITING, _l.due_at <= bindparam(due, type_=Instant), *those)
    return waiting.order_by(_l.due_at).limit(1).with_for_update(skip_locked=True).scalar_subquery()


# Each is looked for only where there is none of those before it. The second passes by notices, and no more of them than
# fell due within `NOTICES_WAIT`.
_NEXT = func.coalesce(
    _oldest("long_ago"), _oldest("now", _l.kind.not_in([kind.value for kind in NOTICES])), _oldest("now")
)
_CLAIM = Prepared(
    update(letters)
    .where(_l.id == _NEXT)
    .values(due_at=bindparam("lease_end", type_=Instant), attempts=_l.attempts + 1, last_fault=None)
    .returning(*_LETTER)
)
_ITS = _l.id == bindparam("of_letter")
# As long as nobody else has claimed it since this claim, or settled it.
_MINE = and_(_ITS, _WAITING, _l.attempts == bindparam("of_claim"))
_NOW = bindparam("now", type_=Instant)
_FAULT = bindparam("fault", type_=_l.last_fault.type)
_HOLD = Prepared(select(_l.id).where(_MINE).with_for_update())
_OWNER = bindparam("of_account", type_=_l.account_id.type)
_NEWER = Prepared(
    select(
        exists().where(
            _l.kind == bindparam("of_kind"),
            or_(_l.account_id == _OWNER, and_(_l.asked_of == _OWNER, _l.settled_at.is_(None))),
            and_(_l.asked_of == _OWNER, _l.epoch == bindparam("in_epoch")),
            _l.created_at > bindparam("moment", type_=Instant),
        )
    )
)
_SETTLE = Prepared(update(letters).where(_ITS).values({"settled_at": _NOW, "account_id": _OWNER, **_SCRUBBED}))
_PUT_OFF = Prepared(update(letters).where(_MINE).values(due_at=bindparam("new_due", type_=Instant), last_fault=_FAULT))
_REFUSE = {
    whose: Prepared(update(letters).where(which).values(refused_at=_NOW, last_fault=_FAULT))
    for whose, which in (("mine", _MINE), ("anybody's", _ITS))
}
# Another's, to a mailbox that was this one's, is not among them.
_DELETE_OF = Prepared(
    delete(letters).where(or_(_l.account_id == _OWNER, and_(_l.account_id.is_(None), _l.asked_of == _OWNER)))
)
_UNDO_SINCE = and_(_l.kind == LetterKind.EMAIL_CHANGED.value, _l.created_at >= bindparam("undo_since", type_=Instant))
_WITHDRAW = {
    with_undo: Prepared(
        update(letters)
        .where(
            _l.settled_at.is_(None),
            or_(_l.account_id == _OWNER, _l.asked_of == _OWNER),
            or_(_l.kind.in_(_TIED), _UNDO_SINCE) if with_undo else _l.kind.in_(_TIED),
        )
        .values({"settled_at": _NOW, **_SCRUBBED})
    )
    for with_undo in (True, False)
}
_BACKLOG = Prepared(
    select(
        func.count().filter(_WAITING),
        func.count().filter(_l.refused_at.is_not(None)),
        func.min(_l.created_at).filter(_WAITING),
    ).where(_l.settled_at.is_(None))
)


class SqlLetters:
    """Implements `Letters`. A claim sets the due time to the end of the lease: a lost worker's letter is due again."""

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
        statement = _QUEUE[named_by]
        if letter.kind in NOTICES and letter.email is None:
            statement = _QUEUE_NOTICE
            del row["email"]
        await self._connection.execute(statement, {**row, "whose": whose})

    async def claim(self, now: datetime) -> QueuedLetter | None:
        moments = {"now": now, "long_ago": now - NOTICES_WAIT, "lease_end": now + LEASE}
        for _ in range(_MOST_ODD):
            claimed = await self._connection.execute(_CLAIM, moments)
            row = claimed.one_or_none()
            letter = _from_row(row) if row is not None else None
            if row is None or letter is not None:
                return letter
            await self._connection.execute(_REFUSE["anybody's"], {"of_letter": row.id, "now": now, "fault": _ODD})
        return None

    async def hold(self, letter: QueuedLetter) -> bool:
        held = await self._connection.execute(_HOLD, _claim(letter))
        return held.one_or_none() is not None

    async def newer(self, letter: QueuedLetter, account: Account) -> bool:
        which = {"of_account": account.id, "in_epoch": account.epoch, "of_kind": letter.kind.value}
        return bool((await self._connection.execute(_NEWER, which | {"moment": letter.created_at})).scalar_one())

    async def settle(self, letter: QueuedLetter, now: datetime, account_id: str | None) -> None:
        await self._connection.execute(_SETTLE, {"of_letter": letter.id, "now": now, "of_account": account_id})

    async def put_off(self, letter: QueuedLetter, due_at: datetime, fault: str) -> None:
        await self._connection.execute(_PUT_OFF, {**_claim(letter), "new_due": due_at, "fault": fault})

    async def refuse(self, letter: QueuedLetter, now: datetime, fault: str) -> None:
        await self._connection.execute(_REFUSE["mine"], {**_claim(letter), "now": now, "fault": fault})

    async def delete_of(self, account_id: str) -> None:
        await self._connection.execute(_DELETE_OF, {"of_account": account_id})

    async def purge_settled(self, account_id: str, most: int) -> int:
        some = select(_l.id).where(_l.account_id == account_id, _l.settled_at.is_not(None)).limit(most).cte("some")
        gone = await self._connection.execute(delete(letters).where(_l.id.in_(select(some.c.id))).returning(_l.id))
        return len(gone.all())

    async def purge(self, before: datetime, most: int) -> int:
        return await delete_oldest(
            self._connection, letters, and_(not_(_WAITING), _l.created_at < before), _l.created_at, most
        )

    async def withdraw(self, account_id: str, now: datetime, *, undo_since: datetime | None = None) -> None:
        which = {"of_account": account_id, "now": now} | ({"undo_since": undo_since} if undo_since else {})
        await self._connection.execute(_WITHDRAW[undo_since is not None], which)

    async def unsettled(self, most: int) -> list[LetterState]:
        rows = await self._connection.execute(
            select(*_LETTER, _l.due_at, _l.refused_at, _l.last_fault)
            .where(_l.settled_at.is_(None))
            .order_by(_l.created_at)
            .limit(most)
        )
        return [
            LetterState(letter, row.due_at, row.refused_at, row.last_fault)
            for row in rows
            if (letter := _from_row(row[: len(_LETTER)])) is not None
        ]

    async def retry(self, now: datetime, letter_ids: Sequence[str] | None = None) -> int:
        those = [_l.settled_at.is_(None), _l.last_fault.is_not(None)]
        if letter_ids is not None:
            those.append(_l.id.in_(letter_ids))
        # One that somebody is settling is passed by: who takes several rows may not wait for any of them.
        free = select(_l.id).where(*those).with_for_update(skip_locked=True).cte("free")
        done = await self._connection.execute(
            update(letters).where(_l.id.in_(select(free))).values(due_at=now, refused_at=None).returning(_l.id)
        )
        return len(done.all())

    async def backlog(self) -> Backlog:
        return Backlog(*(await self._connection.execute(_BACKLOG)).one())


def _claim(letter: QueuedLetter) -> dict[str, Any]:
    return {"of_letter": letter.id, "of_claim": letter.attempts}


def _from_row(row: Sequence[Any]) -> QueuedLetter | None:
    """Return the letter; None, and a log line, if the row is malformed."""
    try:
        members = _READER.members(row)
        kind, detail = odd_rows.word(LetterKind, members["kind"], "kind"), odd_rows.texts(members["detail"])
    except OddRow as why:
        odd_rows.left_out(letters.name, row[0], why)
        return None
    language = members["language"] if members["language"] in LANGUAGES else None
    return QueuedLetter(**{**members, "kind": kind, "detail": detail, "language": language})
