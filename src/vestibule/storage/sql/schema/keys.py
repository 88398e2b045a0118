"""The keys that sign tokens (`model.signing_keys.SealedKey`), and the keys of services (`model.service_keys`)."""

from sqlalchemy import Column, Index, String, Table, Text, text

from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema.parts import metadata

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("use", String(16), nullable=False),  # `KeyUse`: which tokens it signs
    Column("state", String(16), nullable=False),  # `KeyState`
    Column("alg", String(16), nullable=False),
    Column("sealed_private", Text, nullable=False),  # encrypted; empty once the key is gone
    Column("created_at", Instant, nullable=False),
    Column("state_since", Instant),  # NULL in rows from before this column: since `created_at`
    Column("checks_until", Instant),  # until when it verifies tokens; NULL until it is retired
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
    Column("digest", String(64), nullable=False, unique=True),  # of the key, which is not stored
    Column("created_at", Instant, nullable=False),
)
