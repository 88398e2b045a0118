"""Add indexes to find the rows to purge, so that looking for them costs nothing if there are none."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("sessions_to_forget", "sessions", ["expires_at"])
    op.create_index("one_time_tokens_to_forget", "one_time_tokens", ["expires_at"])
    op.create_index("letters_to_forget", "letters", ["created_at"])
    op.create_index("known_devices_to_forget", "known_devices", ["last_seen_at"])
    op.create_index("events_to_forget", "events", ["at"])
