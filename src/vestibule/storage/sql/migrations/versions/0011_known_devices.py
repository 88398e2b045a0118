"""Give each known device a number, `place`, that chooses one of its account's attempt counters. The counters of unknown
devices are named by a digest of the email instead of the account.
"""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_BATCH = 500


def upgrade() -> None:
    op.add_column("known_devices", sa.Column("place", sa.Integer(), nullable=True))
    op.add_column("guesses", sa.Column("in_all", sa.Integer(), nullable=True))
    database = op.get_bind()
    # Keep the counts under the new names, so that nobody gets fifty more login attempts by an upgrade.
    found = database.execute(
        sa.text(
            "SELECT guesses.budget AS budget, accounts.address AS email FROM guesses"
            " JOIN accounts ON accounts.id = guesses.account_id WHERE guesses.budget LIKE 'others:%'"
        )
    )
    renamed = [{"old": row.budget, "new": f"others:{sha256(row.email.encode()).hexdigest()}"} for row in found]
    rename = sa.text("UPDATE guesses SET budget = :new WHERE budget = :old")
    for start in range(0, len(renamed), _BATCH):
        database.execute(rename, renamed[start : start + _BATCH])
    first = {"place": ":0"}  # the counters of known devices so far become those of place 0
    database.execute(sa.text("UPDATE guesses SET budget = budget || :place WHERE budget LIKE 'familiar:%'"), first)
