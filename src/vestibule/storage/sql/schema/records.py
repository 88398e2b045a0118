"""Events, and the counters of login attempts and of other limits."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema.parts import ID, Sequence, metadata, owner

events = Table(
    "events",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    owner(nullable=True, on_delete="SET NULL"),
    Column("session_id", ID),
    Column("network_address", Text),
    Column("detail", Text, nullable=False),
    Column("actor_id", ID),  # no foreign key: it stays when the operator's account is deleted
    Index("events_of_account", "account_id", "at"),
    Index("events_to_purge", "at"),
    Index("events_of_kind", "kind", "at", "sequence"),
)
_HAS_NETWORK = events.c.network_address.is_not(None)
Index(
    "events_from_network",
    events.c.network_address,
    events.c.at,
    events.c.sequence,
    postgresql_where=_HAS_NETWORK,
    sqlite_where=_HAS_NETWORK,
)

# No foreign key: with its check, an attempt for an account would take longer than one for an email without an account.
login_attempts = Table(
    "login_attempts",
    metadata,
    Column("counter", String(80), primary_key=True),
    Column("account_id", ID),
    Column("failures", Integer, nullable=False),  # since the waits last restarted
    Column("last_at", Instant, nullable=False),
    Column("in_all", Integer),  # all in a row; NULL in rows from before this column, whose `failures` has all
    Index("login_attempts_of_account", "account_id"),
    Index("login_attempts_to_purge", "last_at"),
)

rate_counters = Table(
    "rate_counters",
    metadata,
    Column("subject", String(64), primary_key=True),  # a digest of the limit's name and of what it counts for
    Column("count", Integer, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Index("rate_counters_to_purge", "ends_at"),
)
