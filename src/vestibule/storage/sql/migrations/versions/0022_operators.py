"""Keep with an event which operator acted, and with a disabled account why.

Servers of the version before go on without both columns. They take an account with the role `helper` or `auditor` for a
malformed row, and sign nobody in to it: give these roles only once no server of that version runs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("events", sa.Column("actor_id", sa.String(36), nullable=True))
    op.add_column("accounts", sa.Column("disabled_reason", sa.Text(), nullable=True))
