"""Add to sign-ins that wait for their second step where each comes from, so that a flood from one place ends none from
another.

Servers of the version before neither read nor write the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("pending_sign_ins", sa.Column("origin", sa.String(64), nullable=True))
