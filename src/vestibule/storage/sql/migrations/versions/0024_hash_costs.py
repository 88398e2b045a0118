"""Replace the two indexes that find imported hashes by one that finds the costs of all kinds at once, even among
millions of hashes: every wrong password must take as long as with the costliest of each kind.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_OTHERS = sa.text(
    "length(password_hash) <= 400"
    " AND (substr(password_hash, 1, 2) = '$2'"
    " OR substr(password_hash, 1, 15) = '$bcrypt-sha256$'"
    " OR substr(password_hash, 1, 8) IN ('$pbkdf2-', '$scrypt$', '$fbscryp')"
    " OR substr(password_hash, 1, 7) = '$argon2'"
    " AND substr(password_hash, 1, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$'"
    " OR substr(password_hash, 1, 12) = 'hmac-sha256:'"
    " AND substr(password_hash, 21, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$')"
)
_BEGINNING = sa.text(
    "(CASE WHEN substr(password_hash, 1, 2) = '$2' THEN substr(password_hash, 1, 7)"
    " WHEN substr(password_hash, 1, 15) = '$bcrypt-sha256$' THEN substr(password_hash, 1, 21)"
    " ELSE rtrim(rtrim(rtrim(password_hash,"
    " 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/='), '$'),"
    " 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=') END)"
)


def upgrade() -> None:
    op.create_index(
        "accounts_by_hash_cost",
        "accounts",
        [_BEGINNING],
        postgresql_where=_OTHERS,
        sqlite_where=_OTHERS,
    )
    op.drop_index("accounts_with_bcrypt", "accounts")
    op.drop_index("accounts_with_other_argon2", "accounts")
