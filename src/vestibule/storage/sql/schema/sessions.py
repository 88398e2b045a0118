"""The sessions (`model.sessions.Session`), and the revocations that tell every process which tokens to refuse."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema.parts import ID, Sequence, metadata, owner

_NOT_ENDED = text("ended_at IS NULL")
_ACTING = text("actor_id IS NOT NULL")

sessions = Table(
    "sessions",
    metadata,
    Column("id", ID, primary_key=True),
    owner(),
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
    # Not used yet: for sign-ins of OAuth clients.
    Column("client_id", ID),
    Column("scope", Text),
    Column("resource", Text),
    # Set in a session in which an operator acts as the account: the operator's own session, and the operator's account.
    Column("parent_id", ID),
    Column("actor_id", ID),
    Column("acted_at", Instant),  # set in the operator's own session: when it first became a `parent_id`
    Index("sessions_of_account", "account_id"),
    Index("sessions_by_age", "account_id", "created_at"),
    Index("sessions_not_ended", "account_id", postgresql_where=_NOT_ENDED, sqlite_where=_NOT_ENDED),
    # `expires_at` never changes. An index on a column that a refresh changes would cost each refresh one more write.
    Index("sessions_to_purge", "expires_at"),
    Index("sessions_acting", "actor_id", postgresql_where=_ACTING, sqlite_where=_ACTING),
)

revocations = Table(
    "revocations",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", ID, nullable=False),  # the id of a session or an account, as `kind` says
    Column("not_before", Instant),  # for an account: only tokens issued before this are refused
    Column("purge_at", Instant, nullable=False),  # by then, every refused token has expired
    Index("revocations_to_purge", "purge_at"),
)
