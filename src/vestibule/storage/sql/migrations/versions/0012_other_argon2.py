"""Add an index that finds the few argon2 hashes of another cost than ours: every wrong password must take as long as
with the costliest of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_OTHERS = sa.text(
    "length(password_hash) <= 300"
    " AND (substr(password_hash, 1, 7) = '$argon2'"
    " AND substr(password_hash, 1, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$'"
    " OR substr(password_hash, 1, 12) = 'hmac-sha256:'"
    " AND substr(password_hash, 21, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$')"
)


def upgrade() -> None:
    op.create_index(
        "accounts_with_other_argon2",
        "accounts",
        ["password_hash"],
        postgresql_where=_OTHERS,
        sqlite_where=_OTHERS,
    )
