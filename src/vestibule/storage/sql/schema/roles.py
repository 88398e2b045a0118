"""The roles that operators make, and who has them."""

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, String, Table, Text

from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema.parts import metadata, owner

custom_roles = Table(
    "custom_roles",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("permissions", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

# `accounts.roles` says the same of each account, so that no sign-in reads this table. This one finds who has a role,
# and keeps a role that somebody has from being deleted.
account_roles = Table(
    "account_roles",
    metadata,
    owner(),
    Column("role", String(32), ForeignKey("custom_roles.name"), nullable=False),
    PrimaryKeyConstraint("account_id", "role"),
    Index("account_roles_by_role", "role", "account_id"),
)
