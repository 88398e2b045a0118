"""Note which passkeys do not sign in alone until they were used beside the password, which was reset by mail.

Servers of the version before let such a passkey sign in alone, and note no reset of theirs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("passkeys", sa.Column("needs_password", sa.Boolean(), nullable=False, server_default=sa.false()))
