"""Index the sessions in which an operator acts as somebody else, and note in the operator's own session when it first
began one: whatever ends the operator's session has to end those too.

Servers of the version before take such a session for the owner's own. They show it nothing that asks for a recent
sign-in, and do not end it with the operator's session: impersonate nobody before every server runs this version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

_ACTING = sa.text("actor_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("sessions", sa.Column("acted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("sessions_acting", "sessions", ["actor_id"], postgresql_where=_ACTING, sqlite_where=_ACTING)
