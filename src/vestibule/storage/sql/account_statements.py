"""Define the statements on accounts, each prepared once.

A parameter with the name of a column sets that column. Parameters for conditions have other names (`of_account`).
"""

from sqlalchemy import ColumnElement, Text, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from vestibule.model.accounts import Role
from vestibule.storage.sql.account_rows import COLUMNS
from vestibule.storage.sql.account_use import USED_SINCE, never_used
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.kept_emails import KEPT, OF_THESE_EMAILS, is_kept
from vestibule.storage.sql.last_admin import leaves_an_admin
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts, one_time_tokens

_a = accounts.c
_THIS_ACCOUNT = _a.id == bindparam("of_account")
_AT_EMAIL = _a.email == bindparam("at_email")
_NOW = bindparam("now", type_=Instant)
_IN_EPOCH = bindparam("in_epoch", type_=_a.epoch.type)

# ON CONFLICT reads the same on both databases, so SQLAlchemy's `insert` for PostgreSQL serves SQLite too.
ADD = Prepared(insert(accounts).on_conflict_do_nothing().returning(_a.id))
_SINCE = func.coalesce(_a.imported_at, _a.created_at)
# Of the accounts just added, delete those whose email is kept for another account.
DELETE_KEPT = Prepared(
    delete(accounts)
    .where(
        _a.id.in_(bindparam("added", expanding=True)),
        exists().where(OF_THESE_EMAILS, KEPT.c.email == _a.email, is_kept(_SINCE)),
    )
    .returning(_a.id)
)
HOLDERS = Prepared(
    select(_a.email, _a.id, _a.verified).where(
        or_(_a.id.in_(bindparam("ids", expanding=True)), _a.email.in_(bindparam("emails", expanding=True)))
    )
)
KEPT_EMAILS = Prepared(select(KEPT.c.email, KEPT.c.account_id).where(OF_THESE_EMAILS, is_kept(_NOW)))
REGISTER_AGAIN = Prepared(
    update(accounts)
    .where(_AT_EMAIL, never_used(bindparam("before", type_=Instant)))
    .values(
        name=bindparam("name"),
        password_hash=bindparam("password_hash"),
        language=bindparam("language"),
        epoch=_a.epoch + 1,
        registered_epoch=_a.epoch + 1,
        created_at=bindparam("created_at"),
        updated_at=bindparam("updated_at"),
        registered_again_at=bindparam("created_at"),
    )
    .returning(*COLUMNS)
)

_BY_EMAIL, _BY_ID = select(*COLUMNS).where(_AT_EMAIL), select(*COLUMNS).where(_THIS_ACCOUNT)
WITH_EMAIL, GET = Prepared(_BY_EMAIL), Prepared(_BY_ID)
# SQLite has no FOR UPDATE, and needs none: it runs one writing transaction at a time.
LOCK, LOCK_AT = Prepared(_BY_ID.with_for_update()), Prepared(_BY_EMAIL.with_for_update())
LOCK_THESE = Prepared(
    select(*COLUMNS).where(_a.id.in_(bindparam("ids", expanding=True))).order_by(_a.id).with_for_update()
)
# For use within a statement that changes what belongs to the account (`endings.py`).
LOCKING = select(_a.id).where(_THIS_ACCOUNT).with_for_update()
_OF_DIGEST = one_time_tokens.c.digest == bindparam("of_digest")
OF_TOKEN = Prepared(
    select(*COLUMNS)
    .join(one_time_tokens, one_time_tokens.c.account_id == _a.id)
    .where(_OF_DIGEST, one_time_tokens.c.used_at.is_(None))
)
LOCK_FOR_TOKEN = Prepared(
    select(_a.id)
    .where(
        or_(
            _a.id == select(one_time_tokens.c.account_id).where(_OF_DIGEST).scalar_subquery(),
            _a.email == select(one_time_tokens.c.email).where(_OF_DIGEST).scalar_subquery(),
        )
    )
    .order_by(_a.id)  # the same order for all: two accounts that swap their emails must not deadlock
    .with_for_update(of=accounts)
)

NOTE_USE = Prepared(
    update(accounts).where(_THIS_ACCOUNT, _a.epoch == _IN_EPOCH, _a.first_used_at.is_(None)).values(first_used_at=_NOW)
)
VERIFY = Prepared(
    update(accounts)
    .where(_THIS_ACCOUNT, _AT_EMAIL, or_(_IN_EPOCH.is_(None), _a.epoch == _IN_EPOCH))
    .values(verified=True, updated_at=_NOW, first_used_at=USED_SINCE)
)
_HASH = bindparam("of_hash", type_=Text)
DOUBT_PASSWORD = Prepared(
    update(accounts)
    .where(_AT_EMAIL, _a.verified.is_(False), _a.password_hash.is_distinct_from(_HASH))
    .values(registered_again_at=_NOW)
)
TRUST_PASSWORD = Prepared(
    update(accounts)
    .where(_AT_EMAIL, _a.registered_again_at == bindparam("doubted_at", type_=Instant))
    .where(_a.password_hash == _HASH)  # false also if either is NULL
    .values(registered_again_at=None)
)
SET_NAME = Prepared(
    update(accounts)
    .where(_THIS_ACCOUNT, _a.epoch == bindparam("of_epoch", type_=_a.epoch.type), _a.disabled_at.is_(None))
    .values(name=bindparam("name"), updated_at=_NOW)
)
_LANGUAGE = bindparam("language", type_=_a.language.type)
SET_LANGUAGE = Prepared(
    update(accounts)
    .where(_THIS_ACCOUNT, _a.language.is_distinct_from(_LANGUAGE))
    .values(language=_LANGUAGE, updated_at=_NOW)
)
REPLACE_HASH = Prepared(
    update(accounts).where(_THIS_ACCOUNT, _a.password_hash == _HASH).values(password_hash=bindparam("password_hash"))
)
REMOVE = Prepared(delete(accounts).where(_THIS_ACCOUNT, leaves_an_admin()))
REMOVE_SQUATTER = Prepared(delete(accounts).where(_THIS_ACCOUNT, _AT_EMAIL, _a.verified.is_(False), leaves_an_admin()))


def _change(*conditions: ColumnElement[bool], **values: object) -> Prepared:
    """Return a statement that changes one account, marks it as used, begins a new epoch and returns that epoch."""
    changed = update(accounts).where(_THIS_ACCOUNT, *conditions).values(**values, epoch=_a.epoch + 1, updated_at=_NOW)
    return Prepared(changed.values(first_used_at=USED_SINCE).returning(_a.epoch))


_NEW_HASH = bindparam("password_hash", type_=_a.password_hash.type)
_NEW_EMAIL = bindparam("new_email", type_=_a.email.type)
SET_PASSWORD = _change(password_hash=_NEW_HASH, registered_again_at=None)
CHANGE_PASSWORD = _change(_a.password_hash == _HASH, password_hash=_NEW_HASH)
_REASON = bindparam("reason", type_=_a.disabled_reason.type)
DISABLE = _change(_a.disabled_at.is_(None), leaves_an_admin(), disabled_at=_NOW, disabled_reason=_REASON)
ENABLE = _change(_a.disabled_at.is_not(None), disabled_at=None, disabled_reason=None)
_ROLE = bindparam("new_role", type_=_a.role.type)
SET_ROLE = _change(or_(_ROLE.is_not_distinct_from(Role.ADMIN.value), leaves_an_admin()), role=_ROLE)
SET_ROLES = _change(roles=bindparam("new_roles", type_=_a.roles.type))
CHANGE_EMAIL = _change(email=_NEW_EMAIL, verified=True, registered_again_at=None)
REASSIGN_TO_EMAIL = _change(email=_NEW_EMAIL, verified=True, registered_again_at=None, password_hash=None)
# Not by `_change`, which marks the account as used.
REPLACE_EMAIL = Prepared(
    update(accounts)
    .where(_THIS_ACCOUNT, never_used(bindparam("before", type_=Instant)))
    .values(email=_NEW_EMAIL, epoch=_a.epoch + 1, registered_epoch=_a.epoch + 1, updated_at=_NOW)
    .returning(_a.epoch)
)

_BEFORE = bindparam("before", type_=Instant)
_NEVER_USED = select(*COLUMNS).where(never_used(_BEFORE)).order_by(_a.id).limit(bindparam("most"))
NEVER_USED, NEVER_USED_ONE = Prepared(_NEVER_USED), Prepared(_NEVER_USED.where(_THIS_ACCOUNT))
