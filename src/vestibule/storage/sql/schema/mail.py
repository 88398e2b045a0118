"""The outbox of emails (`letters`), and the one-time tokens in their links."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.schema.parts import ID, metadata, owner

# `settled_at`: sent, or no longer wanted. `refused_at`: refused for good by the mail server, until an operator retries.
_WAITING = text("settled_at IS NULL AND refused_at IS NULL")
_UNSETTLED = text("settled_at IS NULL")
_REFUSED = text("settled_at IS NULL AND refused_at IS NOT NULL")

letters = Table(
    "letters",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(32), nullable=False),
    owner(nullable=True),  # None: for the account that has `email` when the letter is sent
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("settled_at", Instant),
    Column("last_fault", Text),
    Column("email", String(254)),
    Column("language", String(8)),
    Column("detail", Text, nullable=False, server_default="{}"),  # JSON
    Column("refused_at", Instant),
    # The account, and its epoch, when the letter was asked for; None if there was none. No foreign key, because
    # checking one takes time: a slower answer would reveal that the email has an account.
    Column("asked_of", ID),
    Column("epoch", Integer),
    Index("letters_due", "due_at", postgresql_where=_WAITING, sqlite_where=_WAITING),
    Index("letters_of_account", "account_id", "kind"),
    Index("letters_asked_of", "asked_of", postgresql_where=_UNSETTLED, sqlite_where=_UNSETTLED),
    Index("letters_to_purge", "created_at"),
    Index("letters_unsettled", "created_at", "id", postgresql_where=_UNSETTLED, sqlite_where=_UNSETTLED),
    Index("letters_refused", "created_at", "id", postgresql_where=_REFUSED, sqlite_where=_REFUSED),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    owner(),
    Column("purpose", String(32), nullable=False),
    Column("email", String(254), nullable=False),  # to which the link was mailed
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("letter_id", ID),
    # The account's epoch and email when the token was made.
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("account_email", String(254)),
    Column("return_to", Text),
    Index("one_time_tokens_of_account", "account_id", "purpose"),
    Index("one_time_tokens_to_purge", "expires_at"),
)
