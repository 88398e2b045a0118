"""Define the statements on queued letters, each prepared once."""

from datetime import UTC, datetime
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
    tuple_,
    update,
)

from vestibule.model.letters import (
    NOTICES,
    TOKEN_PURPOSES,
    LetterKind,
)
from vestibule.model.one_time_tokens import FOR_EVERY_EPOCH
from vestibule.model.outbox import LetterPosition
from vestibule.storage.sql.batches import deletion_of_oldest
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, letters

_l = letters.c
_ASKED = (_l.asked_of, _l.epoch)
LETTER = (_l.id, _l.kind, _l.created_at, _l.account_id, _l.email, _l.language, _l.detail, _l.attempts, *_ASKED)
# A settled letter keeps neither its recipient nor its content.
_SCRUBBED = {"email": None, "detail": "{}", "last_fault": None}
WAITING = and_(_l.settled_at.is_(None), _l.refused_at.is_(None))

# Letters with a link that a new epoch makes void. Letters with an undo link have a rule of their own, `_UNDO_SINCE`.
_VOIDABLE = [kind.value for kind, purpose in TOKEN_PURPOSES.items() if purpose not in FOR_EVERY_EPOCH]


def _queue(whose: ColumnElement[bool], **also: ColumnElement[Any]) -> Insert:
    """Return an INSERT of a letter with its account's id and epoch. It takes equally long if there is no account."""
    asked = {"asked_of": accounts.c.id, "epoch": accounts.c.epoch, **also}
    return insert(letters).values({name: select(c).where(whose).scalar_subquery() for name, c in asked.items()})


QUEUE = {
    "account_id": Prepared(_queue(accounts.c.id == bindparam("whose"))),
    "email": Prepared(_queue(accounts.c.email == bindparam("whose"))),
}
QUEUE_NOTICE = Prepared(
    _queue(accounts.c.id == bindparam("whose"), email=case((accounts.c.verified, accounts.c.email)))
)


def _oldest(due: str, *conditions: ColumnElement[bool]) -> Any:
    """Return a sub-select of the waiting letter that has been due for longest, at the moment bound to `due`."""
    waiting = select(_l.id).where(WAITING, _l.due_at <= bindparam(due, type_=Instant), *conditions)
    return waiting.order_by(_l.due_at).limit(1).with_for_update(skip_locked=True).scalar_subquery()


# First a letter of any kind that has been due for `NOTICES_WAIT`, then one that is no notice, then any: COALESCE
# evaluates a sub-select only if those before it found none.
_NEXT = func.coalesce(
    _oldest("long_ago"), _oldest("now", _l.kind.not_in([kind.value for kind in NOTICES])), _oldest("now")
)
CLAIM = Prepared(
    update(letters)
    .where(_l.id == _NEXT)
    .values(due_at=bindparam("lease_end", type_=Instant), attempts=_l.attempts + 1, last_fault=None)
    .returning(*LETTER)
)
_THIS_LETTER = _l.id == bindparam("of_letter")
# True until another worker claims the letter, or it is settled or refused.
_STILL_CLAIMED = and_(_THIS_LETTER, WAITING, _l.attempts == bindparam("of_claim"))
_NOW = bindparam("now", type_=Instant)
_FAULT = bindparam("fault", type_=_l.last_fault.type)
LOCK = Prepared(select(_l.id).where(_STILL_CLAIMED).with_for_update())
_OWNER = bindparam("of_account", type_=_l.account_id.type)
NEWER = Prepared(
    select(
        exists().where(
            _l.kind == bindparam("of_kind"),
            or_(_l.account_id == _OWNER, and_(_l.asked_of == _OWNER, _l.settled_at.is_(None))),
            and_(_l.asked_of == _OWNER, _l.epoch == bindparam("in_epoch")),
            _l.created_at > bindparam("moment", type_=Instant),
        )
    )
)
NOT_SENT = 0
"""The attempts of a settled letter that was not sent, however often it was tried; one that was sent keeps its own."""
SETTLE = Prepared(
    update(letters)
    .where(_THIS_LETTER)
    .values({"settled_at": _NOW, "account_id": _OWNER, "attempts": bindparam("attempts_kept"), **_SCRUBBED})
)
PUT_OFF = Prepared(
    update(letters).where(_STILL_CLAIMED).values(due_at=bindparam("new_due", type_=Instant), last_fault=_FAULT)
)
_REFUSED = {"refused_at": _NOW, "last_fault": _FAULT}
REFUSE = Prepared(update(letters).where(_STILL_CLAIMED).values(_REFUSED))
REFUSE_MALFORMED = Prepared(update(letters).where(_THIS_LETTER).values(_REFUSED))
# Keeps letters of another account to an email that was once this account's.
DELETE_OF = Prepared(
    delete(letters).where(or_(_l.account_id == _OWNER, and_(_l.account_id.is_(None), _l.asked_of == _OWNER)))
)
_SOME_SETTLED = (
    select(_l.id).where(_l.account_id == _OWNER, _l.settled_at.is_not(None)).limit(bindparam("most")).cte("some")
)
PURGE_SETTLED = Prepared(delete(letters).where(_l.id.in_(select(_SOME_SETTLED.c.id))).returning(_l.id))
PURGE = deletion_of_oldest(
    letters, and_(not_(WAITING), _l.created_at < bindparam("before", type_=Instant)), _l.created_at
)
_UNDO_SINCE = and_(_l.kind == LetterKind.EMAIL_CHANGED.value, _l.created_at >= bindparam("undo_since", type_=Instant))
WITHDRAW = {
    with_undo: Prepared(
        update(letters)
        .where(
            _l.settled_at.is_(None),
            or_(_l.account_id == _OWNER, _l.asked_of == _OWNER),
            or_(_l.kind.in_(_VOIDABLE), _UNDO_SINCE) if with_undo else _l.kind.in_(_VOIDABLE),
        )
        .values({"settled_at": _NOW, "attempts": NOT_SENT, **_SCRUBBED})
    )
    for with_undo in (True, False)
}
FIRST = LetterPosition(datetime(1, 1, 2, tzinfo=UTC), "")
"""A position before every letter."""
_AFTER = tuple_(_l.created_at, _l.id) > tuple_(
    bindparam("moment", type_=Instant), bindparam("after_id", type_=_l.id.type)
)
UNSETTLED = {
    only_refused: Prepared(
        select(*LETTER, _l.due_at, _l.refused_at, _l.last_fault)
        .where(_l.settled_at.is_(None), *((_l.refused_at.is_not(None),) if only_refused else ()), _AFTER)
        .order_by(_l.created_at, _l.id)
        .limit(bindparam("most", type_=_l.attempts.type))
    )
    for only_refused in (True, False)
}
COUNTS = Prepared(
    select(
        func.count().filter(WAITING),
        func.count().filter(_l.refused_at.is_not(None)),
        func.min(_l.created_at).filter(WAITING),
    ).where(_l.settled_at.is_(None))
)
