"""Add to mailed links the page that the person was going to, so that another browser can go on there too.

Servers of the version before neither read nor write the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("one_time_tokens", sa.Column("return_to", sa.Text(), nullable=True))
