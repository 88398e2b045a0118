"""Add roles that operators make, and who has them.

Servers of the version before go on: they neither read nor write these, so the tokens that they issue name no such role,
and services that ask for its permissions refuse.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("roles", sa.String(300), nullable=True))
    op.create_table(
        "custom_roles",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "account_roles",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("role", sa.String(32), sa.ForeignKey("custom_roles.name"), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "role"),
    )
    op.create_index("account_roles_by_role", "account_roles", ["role", "account_id"])
