"""Index events by kind and by network address, so that operators find the few that match among very many.

Servers of the version before go on without both. While PostgreSQL builds the indexes, nobody can write events, so
nobody can sign in: some seconds for a million events.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_HAS_NETWORK = sa.text("network_address IS NOT NULL")


def upgrade() -> None:
    op.create_index("events_of_kind", "events", ["kind", "at", "sequence"])
    op.create_index(
        "events_from_network",
        "events",
        ["network_address", "at", "sequence"],
        postgresql_where=_HAS_NETWORK,
        sqlite_where=_HAS_NETWORK,
    )
