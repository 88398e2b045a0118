"""Add to accounts when they were imported and first used, and in which epoch they were registered.

Only unverified accounts need this, so verified ones are left as they are. An unverified account without an event of its
registration counts as imported: its owner then asks for a link by mail, instead of registering again.
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
