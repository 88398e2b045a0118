"""An account says itself that it came from elsewhere, that somebody used it, and in which epoch it was registered.

Only accounts that nobody verified are asked, so the others are left as they are. What cannot be told of today's rows
any more counts as imported: its owner then has a link mailed in place of registering again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_IMPORTED = sa.text(
    "UPDATE accounts SET imported_at = updated_at WHERE NOT verified AND (provider IS NOT NULL"
    " OR password_hash IS NULL OR password_hash = ''"
    " OR NOT EXISTS (SELECT 1 FROM events WHERE events.account_id = accounts.id AND events.kind = 'registered'))"
)
_USED = sa.text(
    "UPDATE accounts SET first_used_at = updated_at WHERE NOT verified AND (epoch > 0"
    " OR disabled_at IS NOT NULL OR role <> 'user'"
    " OR EXISTS (SELECT 1 FROM sessions WHERE sessions.account_id = accounts.id)"
    " OR EXISTS (SELECT 1 FROM known_devices WHERE known_devices.account_id = accounts.id)"
    " OR EXISTS (SELECT 1 FROM events WHERE events.account_id = accounts.id"
    " AND events.kind IN ('signed_in', 'account_disabled', 'account_enabled')))"
)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("registered_epoch", sa.Integer(), nullable=True))
    database = op.get_bind()
    database.execute(_IMPORTED)
    database.execute(_USED)
