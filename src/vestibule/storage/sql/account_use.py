"""Whether anybody has used an account, or shown that it is theirs, in SQL."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, exists, func

from vestibule.model.accounts import Role
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema import accounts, known_devices, sessions

USED_SINCE = func.coalesce(accounts.c.first_used_at, bindparam("now", type_=Instant))
"""Since when an account is used, once it is used `now`."""


def nobodys(before: ColumnElement[datetime]) -> ColumnElement[bool]:
    """The accounts that nobody has shown to be theirs, and nobody has used: `Accounts.register_anew`.

    Where it came from is noted, never guessed from the form of its hash, which any of ours may have too. A server of
    before migration 0013, beside this one, notes no use: it leaves a session, a device, or a later epoch than the one
    of the registration. One without a password was not registered here.
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
