"""Say in SQL whether an account was ever used, or its email verified."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, exists, func

from vestibule.model.accounts import Role
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema import accounts, known_devices, sessions

USED_SINCE = func.coalesce(accounts.c.first_used_at, bindparam("now", type_=Instant))
"""Since when an account is used, once it is used `now`."""


def nobodys(before: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return a condition for accounts that were registered here before `before`, and never verified or used
    (`Accounts.register_anew`).

    Where an account came from is recorded, never inferred from the form of its hash, which any of ours may have too. A
    server older than migration 0013, running beside this one, records no use, but leaves a session, a device, or an
    epoch later than that of the registration. An account without a password was not registered here.
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
        accounts.c.password_hash != "",  # nor is it for a NULL
        ~exists().where(sessions.c.account_id == accounts.c.id),
        ~exists().where(known_devices.c.account_id == accounts.c.id),
    )
