"""Define the tables as the code sees them. `migrations/` creates them; a test keeps the two alike."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from vestibule.storage.sql.instant import Instant

REVISION = "0017"
"""The migration this code was written for. A server does not start on a database with another."""

metadata = MetaData()


# BIGSERIAL on PostgreSQL. On SQLite only INTEGER PRIMARY KEY numbers its rows by itself.
Sequence = BigInteger().with_variant(Integer, "sqlite")

_ID = String(36)


def _owner(name: str = "account_id", *, nullable: bool = False, on_delete: str = "CASCADE") -> Column[Any]:
    return Column(name, _ID, ForeignKey("accounts.id", ondelete=on_delete), nullable=nullable)


accounts = Table(
    "accounts",
    metadata,
    Column("id", _ID, primary_key=True),
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
)

has_bcrypt_hash = text("substr(password_hash, 1, 2) = '$2'")
Index(
    "accounts_with_bcrypt",
    accounts.c.password_hash,
    postgresql_where=has_bcrypt_hash,
    sqlite_where=has_bcrypt_hash,
)

# The marks of crypto/hash_forms.py and crypto/pepper.py, and the default cost of crypto/passwords.py.
has_other_argon2 = text(
    "length(password_hash) <= 300"
    " AND (substr(password_hash, 1, 7) = '$argon2'"
    " AND substr(password_hash, 1, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$'"
    " OR substr(password_hash, 1, 12) = 'hmac-sha256:'"
    " AND substr(password_hash, 21, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$')"
)
Index(
    "accounts_with_other_argon2",
    accounts.c.password_hash,
    postgresql_where=has_other_argon2,
    sqlite_where=has_other_argon2,
)

_NOT_ENDED = text("ended_at IS NULL")

sessions = Table(
    "sessions",
    metadata,
    Column("id", _ID, primary_key=True),
    _owner(),
    Column("user_agent", Text, nullable=False),
    Column("network_address", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("idle_expires_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("current", Integer, nullable=False),
    Column("parent", Integer, nullable=False),
    Column("base", Integer, nullable=False),
    Column("ended_at", Instant),
    Column("end_reason", String(32)),
    Column("amr", Text),
    Column("authenticated_at", Instant),
    # For sign-ins of OAuth clients, and of operators in somebody's name.
    Column("client_id", _ID),
    Column("scope", Text),
    Column("resource", Text),
    Column("parent_id", _ID),
    Column("actor_id", _ID),
    Index("sessions_of_account", "account_id"),
    Index("sessions_by_age", "account_id", "created_at"),
    Index("sessions_not_ended", "account_id", postgresql_where=_NOT_ENDED, sqlite_where=_NOT_ENDED),
    # `expires_at` never changes. An index on a column that a refresh changes would cost each refresh one more write.
    Index("sessions_to_purge", "expires_at"),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    _owner(),
    Column("purpose", String(32), nullable=False),
    Column("email", String(254), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("letter_id", _ID),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("account_email", String(254)),
    Column("return_to", Text),
    Index("one_time_tokens_of_account", "account_id", "purpose"),
    Index("one_time_tokens_to_purge", "expires_at"),
)

_WAITING = text("settled_at IS NULL AND refused_at IS NULL")
_UNSETTLED = text("settled_at IS NULL")

letters = Table(
    "letters",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("kind", String(32), nullable=False),
    _owner(nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("settled_at", Instant),
    Column("last_fault", Text),
    Column("email", String(254)),
    Column("language", String(8)),
    Column("detail", Text, nullable=False, server_default="{}"),
    Column("refused_at", Instant),
    # No foreign key: with its check, a letter to an account would take longer than one to an email without an account.
    Column("asked_of", _ID),
    Column("epoch", Integer),
    Index("letters_due", "due_at", postgresql_where=_WAITING, sqlite_where=_WAITING),
    Index("letters_of_account", "account_id", "kind"),
    Index("letters_asked_of", "asked_of", postgresql_where=_UNSETTLED, sqlite_where=_UNSETTLED),
    Index("letters_to_purge", "created_at"),
)

known_devices = Table(
    "known_devices",
    metadata,
    _owner(),
    Column("digest", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("place", Integer),
    PrimaryKeyConstraint("account_id", "digest"),
    Index("known_devices_to_purge", "last_seen_at"),
)

rate_counters = Table(
    "rate_counters",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Index("rate_counters_to_purge", "ends_at"),
)

# No foreign key: with its check, an attempt for an account would take longer than one for an email without an account.
login_attempts = Table(
    "login_attempts",
    metadata,
    Column("counter", String(80), primary_key=True),
    Column("account_id", _ID),
    Column("failures", Integer, nullable=False),  # since the waits last restarted
    Column("last_at", Instant, nullable=False),
    Column("in_all", Integer),  # all in a row; NULL in rows from before this column: `failures` is their total
    Index("login_attempts_of_account", "account_id"),
    Index("login_attempts_to_purge", "last_at"),
)

revocations = Table(
    "revocations",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", _ID, nullable=False),
    Column("not_before", Instant),
    Column("purge_at", Instant, nullable=False),
    Index("revocations_to_purge", "purge_at"),
)

events = Table(
    "events",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    _owner(nullable=True, on_delete="SET NULL"),
    Column("session_id", _ID),
    Column("network_address", Text),
    Column("detail", Text, nullable=False),
    Index("events_of_account", "account_id", "at"),
    Index("events_to_purge", "at"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("use", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("alg", String(16), nullable=False),
    Column("sealed_private", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state_since", Instant),
    Column("checks_until", Instant),
    Index(
        "one_current_key_for_each_use",
        "use",
        unique=True,
        postgresql_where=text("state = 'current'"),
        sqlite_where=text("state = 'current'"),
    ),
    Index(
        "one_next_key_for_each_use",
        "use",
        unique=True,
        postgresql_where=text("state = 'next'"),
        sqlite_where=text("state = 'next'"),
    ),
)

service_keys = Table(
    "service_keys",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
)
