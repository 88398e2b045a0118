"""Add counters of consecutive wrong passwords (`guesses`), and an index of the accounts with a bcrypt hash."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "guesses",
        sa.Column("budget", sa.String(length=80), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("budget"),
    )
    op.create_index("guesses_of_account", "guesses", ["account_id"])
    op.create_index(
        "accounts_with_bcrypt",
        "accounts",
        ["password_hash"],
        postgresql_where=sa.text("substr(password_hash, 1, 2) = '$2'"),
        sqlite_where=sa.text("substr(password_hash, 1, 2) = '$2'"),
    )
