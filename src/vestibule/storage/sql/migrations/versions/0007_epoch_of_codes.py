"""A mailed code belongs to the epoch of its account: it proves nothing for a password that was set later."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    with op.batch_alter_table("one_time_tokens") as tokens:
        tokens.add_column(sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"))
    # What is on its way stays good: whatever began another epoch has killed the codes of the one before.
    op.execute(
        "UPDATE one_time_tokens SET epoch = (SELECT accounts.epoch FROM accounts WHERE accounts.id = account_id)"
    )
