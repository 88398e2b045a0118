"""Add to signing keys since when each is in its state and until when it verifies; allow one next key for each use."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("signing_keys") as keys:
        keys.add_column(sa.Column("state_since", sa.DateTime(timezone=True), nullable=True))
        keys.add_column(sa.Column("checks_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "one_next_key_for_each_use",
        "signing_keys",
        ["use"],
        unique=True,
        postgresql_where=sa.text("state = 'next'"),
        sqlite_where=sa.text("state = 'next'"),
    )
