"""Add to accounts when their unverified email was registered again: since then, nobody knows whose password it has."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("registered_again_at", sa.DateTime(timezone=True)))
