"""Decide in SQL whether an enabled admin remains if an account stops being one."""

from sqlalchemy import ColumnElement, bindparam, or_, select, text

from vestibule.model.accounts import Role
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import accounts

_a, _others = accounts.c, accounts.alias("others")
_IS_OTHER_ADMIN = text("others.role = 'admin' AND others.disabled_at IS NULL")
ENABLED_ADMINS = Prepared(
    select(_a.id)
    .where(text("accounts.role = 'admin' AND accounts.disabled_at IS NULL"))
    .order_by(_a.id)
    .limit(bindparam("most"))
)
# Locks the other admin until the transaction ends. If two transactions each remove the admin that the other one counts
# on, the second waits for the first, then finds none.
_ANOTHER = (
    select(_others.c.id)
    .where(_IS_OTHER_ADMIN, _others.c.id != bindparam("of_account"))
    .order_by(_others.c.id)
    .limit(1)
    .with_for_update()
    .scalar_subquery()
)


def leaves_an_admin() -> ColumnElement[bool]:
    """Return the condition that the account `of_account` is not an enabled admin, or that there is another one."""
    return or_(_a.role != Role.ADMIN.value, _a.disabled_at.is_not(None), _ANOTHER.is_not(None))
