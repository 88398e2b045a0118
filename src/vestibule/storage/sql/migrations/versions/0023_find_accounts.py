"""Add indexes that find accounts for an operator: by how the email or the name begins, and unverified ones by age.

SQLite's own index of unique emails is in the order of their bytes, as the search is; PostgreSQL's is in the order of
the database's language.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    name = sa.text('lower(name) COLLATE "C"') if on_postgresql else sa.text("name COLLATE NOCASE")
    op.create_index("accounts_by_name", "accounts", [name, "id"])
    if on_postgresql:
        op.create_index("accounts_by_email", "accounts", [sa.text('email COLLATE "C"')])
    unverified = sa.text("NOT verified")
    op.create_index(
        "accounts_unverified", "accounts", ["created_at"], postgresql_where=unverified, sqlite_where=unverified
    )
