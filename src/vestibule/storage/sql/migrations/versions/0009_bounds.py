"""Add indexes that find a few rows among any number: an account's live and its newest sessions, revocations in force,
and counters of wrong passwords to purge.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    not_ended = sa.text("ended_at IS NULL")
    op.create_index(
        "sessions_not_ended", "sessions", ["account_id"], postgresql_where=not_ended, sqlite_where=not_ended
    )
    op.create_index("sessions_by_age", "sessions", ["account_id", "created_at"])
    op.create_index("revocations_standing", "revocations", ["forget_at", "sequence"])
    op.create_index("guesses_to_forget", "guesses", ["last_at"])
