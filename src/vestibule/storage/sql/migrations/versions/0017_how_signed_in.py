"""Add to sessions how and when somebody proved who they are, and room for clients and for acting in another's name.

Every column may be null: servers of the version before go on writing rows without them, and such a session counts as
one by password.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "amr": sa.Text(),
    "authenticated_at": sa.DateTime(timezone=True),
    "client_id": sa.String(36),
    "scope": sa.Text(),
    "resource": sa.Text(),
    "parent_id": sa.String(36),
    "actor_id": sa.String(36),
}


def upgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.add_column("sessions", sa.Column(name, kind, nullable=True))
