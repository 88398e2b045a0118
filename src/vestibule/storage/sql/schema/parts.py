"""Define what the tables share: the metadata that lists them, types of ids and numbers, and the account's column."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, String

metadata = MetaData()

# BIGSERIAL on PostgreSQL. On SQLite only INTEGER PRIMARY KEY numbers its rows by itself.
Sequence = BigInteger().with_variant(Integer, "sqlite")

ID = String(36)
DIGEST = String(64)


def owner(*, nullable: bool = False, on_delete: str = "CASCADE", primary_key: bool = False) -> Column[Any]:
    """Return the column `account_id`. If the account is deleted, the database deletes the row, or does `on_delete`."""
    return Column(
        "account_id", ID, ForeignKey("accounts.id", ondelete=on_delete), nullable=nullable, primary_key=primary_key
    )
