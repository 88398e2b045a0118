"""The accounts (`model.accounts.Account`), and the browsers that they know (`model/devices.py`)."""

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text, literal_column, text

from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema.parts import ID, metadata, owner
from vestibule.storage.sql.text_order import bytewise, caseless

accounts = Table(
    "accounts",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("email", String(254), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("password_hash", Text),
    Column("photo", Text, nullable=False),
    Column("provider", Text),
    Column("epoch", Integer, nullable=False),
    Column("disabled_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("language", String(8)),
    Column("registered_again_at", Instant),
    Column("imported_at", Instant),
    Column("first_used_at", Instant),
    Column("registered_epoch", Integer),
    Column("disabled_reason", Text),
    Column("roles", String(300)),
)

# Hashes of any other kind or cost than those that crypto/passwords.py makes by default. Each is recognized by how it
# begins: crypto/hash_forms.py, crypto/derived_hashes.py and crypto/pepper.py have these beginnings.
has_other_hash = text(
    "length(password_hash) <= 400"
    " AND (substr(password_hash, 1, 2) = '$2'"
    " OR substr(password_hash, 1, 15) = '$bcrypt-sha256$'"
    " OR substr(password_hash, 1, 8) IN ('$pbkdf2-', '$scrypt$', '$fbscryp')"
    " OR substr(password_hash, 1, 7) = '$argon2'"
    " AND substr(password_hash, 1, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$'"
    " OR substr(password_hash, 1, 12) = 'hmac-sha256:'"
    " AND substr(password_hash, 21, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$')"
)
# A hash up to its salt, which is base64: the same for all hashes of one kind and cost.
beginning_of_hash = literal_column(
    "(CASE WHEN substr(password_hash, 1, 2) = '$2' THEN substr(password_hash, 1, 7)"
    " WHEN substr(password_hash, 1, 15) = '$bcrypt-sha256$' THEN substr(password_hash, 1, 21)"
    " ELSE rtrim(rtrim(rtrim(password_hash,"
    " 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/='), '$'),"
    " 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=') END)",
    String,
)
Index(
    "accounts_by_hash_cost",
    beginning_of_hash,
    _table=accounts,
    postgresql_where=has_other_hash,
    sqlite_where=has_other_hash,
)

# For an operator's search. SQLite's own index of unique emails is in the order of their bytes already.
Index("accounts_by_name", caseless(accounts.c.name), accounts.c.id)
Index("accounts_by_email", bytewise(accounts.c.email)).ddl_if(dialect="postgresql")
is_unverified = text("NOT verified")
Index("accounts_unverified", accounts.c.created_at, postgresql_where=is_unverified, sqlite_where=is_unverified)
_IS_ENABLED_ADMIN = text("role = 'admin' AND disabled_at IS NULL")
Index("accounts_enabled_admins", accounts.c.id, postgresql_where=_IS_ENABLED_ADMIN, sqlite_where=_IS_ENABLED_ADMIN)

known_devices = Table(
    "known_devices",
    metadata,
    owner(),
    Column("digest", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("place", Integer),  # names the attempt counter that it uses; NULL in rows from before this column
    PrimaryKeyConstraint("account_id", "digest"),
    Index("known_devices_to_purge", "last_seen_at"),
)
