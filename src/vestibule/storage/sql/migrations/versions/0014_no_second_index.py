"""Drop the index of revocations by `forget_at` and `sequence`: every statement finds them by one of the two alone."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.drop_index("revocations_standing", table_name="revocations")
