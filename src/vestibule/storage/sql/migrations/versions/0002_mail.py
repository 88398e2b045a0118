"""Add emails (`address`), languages, details and refusals to letters, languages to accounts, known devices, and rate
counters (`tallies`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("language", sa.String(length=8), nullable=True))
    with op.batch_alter_table("letters") as letters:
        letters.alter_column("account_id", existing_type=sa.String(length=36), nullable=True)
        letters.add_column(sa.Column("address", sa.String(length=254), nullable=True))
        letters.add_column(sa.Column("language", sa.String(length=8), nullable=True))
        letters.add_column(sa.Column("detail", sa.Text(), nullable=False, server_default="{}"))
        letters.add_column(sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True))
        letters.drop_index("letters_due")
    op.create_index(
        "letters_due",
        "letters",
        ["due_at"],
        postgresql_where=sa.text("settled_at IS NULL AND refused_at IS NULL"),
        sqlite_where=sa.text("settled_at IS NULL AND refused_at IS NULL"),
    )
    op.create_index("letters_of_account", "letters", ["account_id", "kind"])
    with op.batch_alter_table("one_time_tokens") as tokens:
        tokens.drop_constraint("one_token_for_each_purpose", type_="unique")
        tokens.add_column(sa.Column("letter_id", sa.String(length=36), nullable=True))
    op.create_index("one_time_tokens_of_account", "one_time_tokens", ["account_id", "purpose"])
    op.create_table(
        "known_devices",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "digest"),
    )
    op.create_table(
        "tallies",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("tallies_to_forget", "tallies", ["ends_at"])
