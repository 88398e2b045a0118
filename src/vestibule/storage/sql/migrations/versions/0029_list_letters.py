"""Index the letters that wait or were refused, so that operators list them page by page.

Servers of the version before go on without both indexes, which are small: letters that were sent are not in them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

_INDEXES = {
    "letters_unsettled": sa.text("settled_at IS NULL"),
    "letters_refused": sa.text("settled_at IS NULL AND refused_at IS NOT NULL"),
}


def upgrade() -> None:
    for name, which in _INDEXES.items():
        op.create_index(name, "letters", ["created_at", "id"], postgresql_where=which, sqlite_where=which)
