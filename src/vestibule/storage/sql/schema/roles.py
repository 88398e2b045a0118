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

# `accounts.roles` says the same for each account, so that no sign-in reads the table `account_roles`. That table finds
# the accounts with a role, and its foreign key keeps the database from deleting a role that an account has.
account_roles = Table(
    "account_roles",
    metadata,
    owner(),
    Column("role", String(32), ForeignKey("custom_roles.name"), nullable=False),
    PrimaryKeyConstraint("account_id", "role"),
    Index("account_roles_by_role", "role", "account_id"),
)
