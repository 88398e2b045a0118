"""Index the enabled admins, so that the last one is found at once among many accounts.

Servers of the version before go on without it. While PostgreSQL builds the index, nobody can write accounts: about two
seconds for a million of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_ENABLED_ADMINS = sa.text("role = 'admin' AND disabled_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "accounts_enabled_admins",
        "accounts",
        ["id"],
        postgresql_where=_ENABLED_ADMINS,
        sqlite_where=_ENABLED_ADMINS,
    )
