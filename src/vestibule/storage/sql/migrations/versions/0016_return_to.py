"""Keep with a mailed link where the person was going, so that it is known in another browser too.

Servers of the version before neither read nor write the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("one_time_tokens", sa.Column("return_to", sa.Text(), nullable=True))
