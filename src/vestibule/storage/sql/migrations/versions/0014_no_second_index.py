"""No statement asks for revocations by an index of their end and number: those are found by the one or by the other."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.drop_index("revocations_standing", table_name="revocations")
