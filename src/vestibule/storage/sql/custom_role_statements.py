"""Define the statements on custom roles, each prepared once."""

from sqlalchemy import bindparam, delete, exists, func, insert, literal, select, update

from vestibule.model.custom_roles import MAX_ROLES
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import account_roles, custom_roles

_r, _held = custom_roles.c, account_roles.c
_THIS_ROLE = _r.name == bindparam("of_role")
_THESE_ROLES = _r.name.in_(bindparam("names", expanding=True))
_THIS_ACCOUNT = _held.account_id == bindparam("of_account")

ALL = Prepared(select(custom_roles).order_by(_r.name))
LOCK = Prepared(select(custom_roles).where(_THIS_ROLE).with_for_update())
# FOR KEY SHARE: two accounts can be given one role at the same time, but the role is not deleted meanwhile.
KEEP = Prepared(select(_r.name).where(_THESE_ROLES).order_by(_r.name).with_for_update(read=True, key_share=True))
_COUNT = select(func.count()).select_from(custom_roles).scalar_subquery()
ADD = Prepared(
    insert(custom_roles)
    .from_select(
        [column.name for column in _r],
        select(*(bindparam(f"new_{column.name}", type_=column.type).label(column.name) for column in _r)).where(
            literal(MAX_ROLES) > _COUNT
        ),
    )
    .returning(_r.name)
)
SET_PERMISSIONS = Prepared(
    update(custom_roles)
    .where(_THIS_ROLE)
    .values(permissions=bindparam("new_permissions"), changed_at=bindparam("now", type_=Instant))
)
REMOVE = Prepared(delete(custom_roles).where(_THIS_ROLE, ~exists().where(_held.role == _r.name)))
HOLDERS = Prepared(
    select(_held.account_id)
    .where(_held.role == bindparam("of_role"))
    .order_by(_held.account_id)
    .limit(bindparam("most"))
)
_holders = select(_held.account_id).where(_held.role == _r.name).limit(bindparam("most")).correlate(custom_roles)
HELD = Prepared(
    select(*_r, select(func.count()).select_from(_holders.subquery()).scalar_subquery().label("holders")).order_by(
        _r.name
    )
)
TAKE_ALL = Prepared(delete(account_roles).where(_THIS_ACCOUNT))
GIVE = Prepared(
    insert(account_roles).from_select(
        ["account_id", "role"],
        select(bindparam("of_account", type_=_held.account_id.type).label("account_id"), _r.name).where(_THESE_ROLES),
    )
)
