"""Decide in SQL whether an account was ever used, or its email verified."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, exists, func

from vestibule.model.accounts import Role
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema import accounts, known_devices, sessions

USED_SINCE = func.coalesce(accounts.c.first_used_at, bindparam("now", type_=Instant))
"""The account's `first_used_at`; `now` if it has none yet."""


def never_used(before: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return a condition for accounts that were registered here, last changed before `before`, and never verified or
    used (`Accounts.register_again`).

    Only `imported_at` tells whether an account was imported: our own hashes may have any form too. An account without a
    password was not registered here. A server older than migration 0013 may run beside this one, and does not set
    `first_used_at`; but a use leaves a session, a device, or an epoch later than that of the registration.
    """
    return and_(
        accounts.c.verified.is_(False),
        accounts.c.disabled_at.is_(None),
        accounts.c.role == Role.USER.value,
        accounts.c.updated_at < before,
        accounts.c.imported_at.is_(None),
        accounts.c.first_used_at.is_(None),
        accounts.c.epoch == func.coalesce(accounts.c.registered_epoch, 0),
        accounts.c.provider.is_(None),
        accounts.c.password_hash != "",  # false also for NULL
        ~exists().where(sessions.c.account_id == accounts.c.id),
        ~exists().where(known_devices.c.account_id == accounts.c.id),
    )
