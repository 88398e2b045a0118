"""Define the statements on sessions, each prepared once."""

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    update,
)

from vestibule.model.sessions import (
    MAX_LIVE_SUCCESSORS,
    MOST_COUNTED,
    EndReason,
)
from vestibule.protocol.authentication import Method
from vestibule.storage.sql import account_rows
from vestibule.storage.sql.batches import deletion_of_oldest
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, sessions
from vestibule.storage.sql.session_rows import COLUMNS

_s = sessions.c
_THIS_SESSION = _s.id == bindparam("of_session")
_THIS_ACCOUNT = _s.account_id == bindparam("of_account")
_LIVE = and_(_s.ended_at.is_(None), _s.idle_expires_at > bindparam("now", type_=Instant))

_others = sessions.alias()
_COUNT_OF_OTHERS = (
    select(func.count())
    .select_from(
        select(_others.c.id)
        .where(
            _others.c.account_id == bindparam("of_account"),
            _others.c.ended_at.is_(None),
            _others.c.actor_id.is_(None),
            _others.c.id != bindparam("new_id"),
        )
        .limit(MOST_COUNTED)
        .subquery()
    )
    .scalar_subquery()
)

# FOR SHARE locks the account's row. A change of password or email that comes later waits for this transaction. If the
# change came first, this statement waits for it, finds a new epoch, and inserts nothing. SQLite has no such clause and
# needs none: it runs one writing transaction at a time.
OPEN = Prepared(
    insert(sessions)
    .from_select(
        [c.name for c in COLUMNS],
        select(*(bindparam(f"new_{c.name}", type_=c.type).label(c.name) for c in COLUMNS))
        .select_from(accounts)
        .where(
            accounts.c.id == bindparam("of_account"),
            accounts.c.epoch == bindparam("in_epoch"),
            accounts.c.disabled_at.is_(None),
        )
        .with_for_update(read=True),
    )
    .returning(_COUNT_OF_OTHERS + 1)
)

FIND = Prepared(
    select(*COLUMNS, *account_rows.COLUMNS).join(accounts, accounts.c.id == sessions.c.account_id).where(_THIS_SESSION)
)

_PRESENTED = bindparam("presented", type_=_s.current.type)
_IDLE_END = bindparam("idle_end", type_=Instant)
_NOW = bindparam("now", type_=Instant)
# Two cases of the table in flows/refresh.py: the counter is used for the first time; or the parent is used again after
# the grace, because the answer was lost.
_FRESH = and_(_s.base < _PRESENTED, _s.current >= _PRESENTED)
_ANSWER_LOST = and_(
    _s.parent == _PRESENTED,
    _s.issued_at < bindparam("grace_over", type_=Instant),
    _s.current - _s.base < MAX_LIVE_SUCCESSORS,
)
# Tokens are issued now, so the session is in use.
_USED = {
    "issued_at": _NOW,
    # Never moved back: a clock that was ahead may have issued a token at that moment, and the revocation of the session
    # must last as long as that token.
    "last_seen_at": case((_s.last_seen_at > _NOW, _s.last_seen_at), else_=_NOW),
    "idle_expires_at": case((_s.expires_at < _IDLE_END, _s.expires_at), else_=_IDLE_END),
}
_ROTATING = (
    update(sessions)
    .where(_THIS_SESSION, _LIVE, or_(_FRESH, _ANSWER_LOST))
    .values(
        parent=_PRESENTED,
        base=case((_FRESH, _s.current), else_=_s.base),
        current=_s.current + 1,
        **_USED,
    )
)
ROTATE = Prepared(_ROTATING)
# Not for SQLite, which lets no SELECT read from an UPDATE: there, `ROTATE` and then `FIND` run.
_ROTATED = _ROTATING.returning(*COLUMNS).cte("rotated")
ROTATE_AND_FIND = Prepared(
    select(*_ROTATED.c, *account_rows.COLUMNS).join(accounts, accounts.c.id == _ROTATED.c.account_id)
)
STEP_UP = Prepared(
    update(sessions)
    .where(_THIS_SESSION, _THIS_ACCOUNT, _LIVE)
    .values(amr=bindparam("by_methods", type_=_s.amr.type), authenticated_at=_NOW, **_USED)
    .returning(*COLUMNS)
)
_MFA = f" {Method.MORE_THAN_ONE_FACTOR.value}"  # always stored after another method, and so after a space
DROP_SECOND_FACTOR = Prepared(
    update(sessions)
    .where(_THIS_ACCOUNT, _s.ended_at.is_(None), _s.amr.contains(_MFA))
    .values(amr=func.replace(_s.amr, _MFA, ""))
)

OF_ACCOUNT = Prepared(
    select(*COLUMNS).where(_THIS_ACCOUNT, _LIVE).order_by(_s.last_seen_at.desc(), _s.id).limit(bindparam("most"))
)
COUNT_LIVE = Prepared(
    select(func.count()).select_from(select(_s.id).where(_THIS_ACCOUNT, _LIVE).limit(MOST_COUNTED).subquery())
)
# Pages are in the order of `created_at`, which never changes: no refresh between two pages moves a session.
_EARLIER = and_(
    _s.created_at <= bindparam("moment", type_=Instant),
    or_(_s.created_at < bindparam("moment", type_=Instant), _s.id < bindparam("below")),
)
PAGE = {
    live: Prepared(
        select(*COLUMNS)
        .where(_THIS_ACCOUNT, _LIVE if live else not_(_LIVE), _EARLIER)
        .order_by(_s.created_at.desc(), _s.id.desc())
        .limit(bindparam("most"))
    )
    for live in (True, False)
}
PAST = Prepared(
    select(*COLUMNS).where(_THIS_ACCOUNT, not_(_LIVE)).order_by(_s.last_seen_at.desc(), _s.id).limit(bindparam("most"))
)
SEEN_ON_DEVICE = Prepared(
    select(
        exists().where(
            _THIS_ACCOUNT,
            _s.user_agent == bindparam("by_agent"),
            _s.network_address == bindparam("from_network"),
            _s.created_at < _NOW,
            _s.actor_id.is_(None),
        )
    )
)
_ENDED_NOW = {"ended_at": _NOW, "end_reason": bindparam("reason")}
_ENDING_ONE = update(sessions).where(_THIS_SESSION, _THIS_ACCOUNT, _LIVE).values(_ENDED_NOW)
END_ONE = Prepared(_ENDING_ONE.returning(_s.id, _s.last_seen_at, _s.acted_at))
ENDING_ALONE = _ENDING_ONE.where(_s.acted_at.is_(None)).returning(_s.id, _s.last_seen_at)
"""Ends a session in which no operator has begun to act as somebody else: nothing else ends with it."""
END_ALONE = Prepared(ENDING_ALONE)


def _ending_others(*more: ColumnElement[bool]) -> Prepared:
    """Return the statement that ends live sessions of an account, never `spare`, for which `more` holds."""
    # Chosen in a WITH, because PostgreSQL may evaluate a sub-select in IN more than once.
    others = (
        select(_s.id)
        .where(_THIS_ACCOUNT, _LIVE, _s.id != bindparam("spare"), *more)
        .limit(bindparam("most"))
        .with_for_update()
        .cte("live")
    )
    ending = update(sessions).where(_s.id.in_(select(others.c.id))).values(_ENDED_NOW)
    return Prepared(ending.returning(_s.id, _s.last_seen_at, _s.acted_at))


END_OTHERS = _ending_others()
END_OTHERS_BY = _ending_others(_s.amr.contains(_MFA), _s.amr.contains(bindparam("method", type_=_s.amr.type)))
_SOME_PAST = select(_s.id).where(_THIS_ACCOUNT, not_(_LIVE)).limit(bindparam("most")).cte("over")
PURGE = deletion_of_oldest(sessions, _s.expires_at < bindparam("before", type_=Instant), _s.expires_at)
PURGE_PAST = Prepared(delete(sessions).where(_s.id.in_(select(_SOME_PAST.c.id))).returning(_s.id))
_LONGEST_UNSEEN = (
    select(_s.id)
    .where(_THIS_ACCOUNT, _s.ended_at.is_(None), _s.actor_id.is_(None), _s.id != bindparam("spare"))
    .order_by(_s.last_seen_at, _s.id)
    .limit(bindparam("most"))
    # Do not wait for a session that another sign-in is ending, or that is being refreshed.
    .with_for_update(skip_locked=True)
    .cte("unseen")
)
# A session that had expired before gets the time and the reason of that.
_EXPIRED_OR_IDLE = _s.idle_expires_at <= _NOW
_END_OR_KEEP_REASON = {
    "ended_at": case((_EXPIRED_OR_IDLE, _s.idle_expires_at), else_=_NOW),
    "end_reason": case(
        (_s.expires_at <= _NOW, literal(EndReason.EXPIRED.value)),
        (_EXPIRED_OR_IDLE, literal(EndReason.IDLE.value)),
        else_=bindparam("reason", type_=_s.end_reason.type),
    ),
}
END_LONGEST_UNSEEN = Prepared(
    update(sessions)
    .where(_s.id.in_(select(_LONGEST_UNSEEN.c.id)))
    .values(_END_OR_KEEP_REASON)
    .returning(_s.id, _s.end_reason, _s.last_seen_at, _s.acted_at)
)
# Also sessions that have expired by this machine's clock: it may be ahead, and then some of them are live.
_ALL_NOT_ENDED = (
    select(_s.id).where(_THIS_ACCOUNT, _s.ended_at.is_(None)).limit(bindparam("most")).with_for_update().cte("every")
)
END_ALL = Prepared(
    update(sessions)
    .where(_s.id.in_(select(_ALL_NOT_ENDED.c.id)))
    .values(_END_OR_KEEP_REASON)
    .returning(_s.id, _s.end_reason, _s.last_seen_at, _s.acted_at)
)
NOTE_ACTING = Prepared(update(sessions).where(_THIS_SESSION).values(acted_at=func.coalesce(_s.acted_at, _NOW)))
# Sessions in which an operator acts as somebody else. The first condition is that of the index `sessions_acting`:
# without it, the databases would not use that index.
_ACTING = (
    select(*COLUMNS, *account_rows.COLUMNS)
    .join(accounts, accounts.c.id == _s.account_id)
    .where(text("sessions.actor_id IS NOT NULL"), _LIVE)
    .order_by(_s.created_at.desc(), _s.id)
    .limit(bindparam("most"))
)
ACTING = {False: Prepared(_ACTING.where(_s.actor_id == bindparam("of_actor"))), True: Prepared(_ACTING)}
"""Of the operator `of_actor` (False), or of all operators (True)."""
_parents = sessions.alias("parents")
_ACTOR = select(_parents.c.account_id).where(_parents.c.id == bindparam("of_parent")).scalar_subquery()
END_ACTING = Prepared(
    update(sessions)
    .where(text("sessions.actor_id IS NOT NULL"), _s.actor_id == _ACTOR, _s.parent_id == bindparam("of_parent"), _LIVE)
    .values(_ENDED_NOW)
    .returning(*COLUMNS)
)
