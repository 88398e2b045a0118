"""Add the account's epoch to mailed codes: a code does not verify an account whose password was set later."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    with op.batch_alter_table("one_time_tokens") as tokens:
        tokens.add_column(sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"))
    # The codes that are left belong to the current epoch, because each new epoch has always voided the codes before it.
    op.execute(
        "UPDATE one_time_tokens SET epoch = (SELECT accounts.epoch FROM accounts WHERE accounts.id = account_id)"
    )
